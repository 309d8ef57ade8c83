#include "repo/repository_index.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <thread>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/thread_pool.h"

namespace restree {
namespace {

// Index files are small and far away: several at once hide the round trips.
constexpr std::size_t kParallelFiles = 8;
// A listing that changes while it is read (a prune at work) is read again this often.
constexpr int kListingAttempts = 4;
// Each part is one more look for every blob that is not in the first.
constexpr std::size_t kMostParts = 6;

}  // namespace

Result<bool> RepositoryIndex::refresh(Deadline by, IndexWatch* watch) {
  {
    auto turn = turn_.lock();
    const std::uint64_t mine = turn->begun + 1;
    while (turn->begun != turn->ended) {
      if (turn_ended_.wait_until(turn.mutex_lock(), by.when()) == std::cv_status::timeout) {
        return Error(ErrorKind::kUnavailable,
                     "load index of " + storage_.description() + ": no answer in time");
      }
      if (turn->ended >= mine) return turn->last;
    }
    ++turn->begun;
  }
  // Whatever happens, the turn ends: others wait for it.
  Result<bool> changed = Error(ErrorKind::kLocalIo, "out of memory while loading the index");
  try {
    changed = refresh_now(by, watch);
  } catch (const std::bad_alloc&) {
    log::error("{}", changed.error().message());
  }
  {
    auto turn = turn_.lock();
    turn->ended = turn->begun;
    turn->last = changed;
  }
  turn_ended_.notify_all();
  return changed;
}

Result<bool> RepositoryIndex::refresh_now(Deadline by, IndexWatch* watch) {
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(const std::vector<ListedFile> listed, storage_.list(FileType::kIndex, by));
    std::set<std::string> files;
    for (const ListedFile& file : listed) files.insert(file.name);

    const Loaded before = *loaded_.lock();
    if (files == before.files) return false;

    // Files that went mean that packs went: what they told must not be asked any more.
    const bool only_more =
        std::includes(files.begin(), files.end(), before.files.begin(), before.files.end()) &&
        before.parts->size() < kMostParts;
    std::vector<std::string> wanted;
    if (only_more) {
      std::set_difference(files.begin(), files.end(), before.files.begin(), before.files.end(),
                          std::back_inserter(wanted));
    } else {
      wanted.assign(files.begin(), files.end());
    }
    Result<std::shared_ptr<const Index>> loaded = load_files(wanted, by, watch);
    if (!loaded && loaded.error().kind() == ErrorKind::kNotFound && attempt < kListingAttempts) {
      continue;  // replaced by a prune between the listing and the reading
    }
    RETURN_IF_ERROR(loaded);

    auto parts = std::make_shared<Parts>();
    if (only_more) *parts = *before.parts;
    parts->push_back(std::move(*loaded));
    std::vector<std::string> names(files.begin(), files.end());
    {
      auto now = loaded_.lock();
      now->parts = std::move(parts);
      now->files = std::move(files);
    }
    if (cache_ != nullptr) cache_->retain_indexed(std::move(names), [&] { return packs(); });
    return true;
  }
}

Result<std::shared_ptr<const Index>> RepositoryIndex::load_files(
    const std::vector<std::string>& names, Deadline by, IndexWatch* watch) const {
  IndexBuilder builder;
  RETURN_IF_ERROR(parallel_for(names.size(), kParallelFiles, [&](std::size_t i) -> Status {
    const FileName file{FileType::kIndex, names[i]};
    Result<Bytes> json = load_file_(file, by);
    Status parsed;
    if (json) {
      parsed = parse_index_file(*json, [&](const PackId& pack, auto blobs) {
        builder.add(pack, blobs);
        if (watch != nullptr) watch->pack(names[i], pack, blobs);
      });
    } else {
      parsed = std::move(json).error();
    }
    if (parsed) return {};
    const ErrorKind kind = parsed.error().kind();
    if (kind != ErrorKind::kCorrupt && kind != ErrorKind::kUnsupported) return parsed;
    if (watch != nullptr) {
      watch->damaged(names[i], parsed.error());
      return {};
    }
    log::error("index file {} of {} is left out, and what only it names is missing: {}", names[i],
               storage_.description(), parsed.error().message());
    return {};
  }));
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  return std::move(builder).build(threads);
}

std::optional<BlobLocation> RepositoryIndex::find(BlobType type, const BlobId& id) const {
  const std::shared_ptr<const Parts> all = parts();
  for (const auto& part : *all) {
    if (const auto place = part->find(type, id)) return place;
  }
  return std::nullopt;
}

std::vector<BlobLocation> RepositoryIndex::find_all(BlobType type, const BlobId& id) const {
  std::vector<BlobLocation> places;
  const std::shared_ptr<const Parts> all = parts();
  for (const auto& part : *all) {
    std::vector<BlobLocation> found = part->find_all(type, id);
    places.insert(places.end(), found.begin(), found.end());
  }
  return places;
}

std::vector<PackId> RepositoryIndex::packs() const {
  std::vector<PackId> names;
  const std::shared_ptr<const Parts> all = parts();
  for (const auto& part : *all) {
    names.insert(names.end(), part->packs().begin(), part->packs().end());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

IndexFigures RepositoryIndex::figures() const {
  IndexFigures figures;
  const std::shared_ptr<const Parts> all = parts();
  for (const auto& part : *all) {
    figures.blobs += part->blob_count();
    figures.packs += part->pack_count();
    figures.sealed_bytes += part->sealed_bytes();
    figures.memory_bytes += part->memory_bytes();
  }
  return figures;
}

}  // namespace restree
