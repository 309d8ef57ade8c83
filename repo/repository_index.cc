#include "repo/repository_index.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/thread_pool.h"
#include "repo/base/waiting.h"
#include "repo/format/pack_header.h"

namespace restree {
namespace {

// Index files are small, and several at once hide the round trips to a storage that is far away.
// Where there are none to hide, more than the processors parse only take memory: some 10 MiB each.
constexpr std::size_t kParallelFiles = 8;
// A listing that changes while it is read (a prune at work) is read again this often.
constexpr int kListingAttempts = 4;
// The merged file is written anew once this part of it, or so many index files, are not in it:
// loading a few small ones costs less than writing all of it.
constexpr std::uint64_t kUnmergedPart = 16;
constexpr std::size_t kUnmergedFiles = 32;
// How long the end of the program waits for the merged file to be written.
constexpr std::chrono::seconds kMergePatience{5};
// How long finding a blob may wait if the index files have to be loaded instead of the merged file.
constexpr std::chrono::seconds kReloadPatience{60};

bool includes(const std::set<std::string>& all, const std::set<std::string>& some) {
  return std::includes(all.begin(), all.end(), some.begin(), some.end());
}

}  // namespace

Result<bool> RepositoryIndex::refresh(Deadline by, IndexWatch* watch) {
  {
    auto turn = turn_.lock();
    const std::uint64_t mine = turn->begun + 1;
    const auto is_free_or_done = [&] { return turn->begun == turn->ended || turn->ended >= mine; };
    if (!wait_until(turn_ended_, turn, by, is_free_or_done)) {
      return Error(ErrorKind::kUnavailable,
                   "load index of " + files_.description + ": no answer in time");
    }
    if (turn->ended >= mine) return turn->last;
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
    ASSIGN_OR_RETURN(const RepositoryListing listed, files_.list(by));
    std::set<std::string> files;
    for (const ListedFile& file : listed.files) files.insert(file.name);

    {
      auto now = loaded_.lock();
      if (is_told(*now, watch) && files == now->files && !now->is_doubtful) return false;
    }
    Loaded loaded = begin_with(files, watch);
    std::vector<std::string> wanted;
    std::set_difference(files.begin(), files.end(), loaded.files.begin(), loaded.files.end(),
                        std::back_inserter(wanted));
    if (!wanted.empty() || loaded.stored == nullptr) {
      auto part = load_files(wanted, by, watch, loaded.damaged);
      if (!part && part.error().kind() == ErrorKind::kNotFound && attempt < kListingAttempts) {
        continue;  // replaced by a prune between the listing and the reading
      }
      RETURN_IF_ERROR(part);
      auto parts = std::make_shared<Parts>(*loaded.parts);
      parts->push_back(std::move(*part));
      // The thread that writes the merged file knows these parts by what they are.
      // Merging them costs less than reading the index files again, which would cost more with each
      // snapshot that the repository has.
      if (!is_merging_) merge_small_parts(*parts, watch != nullptr ? 1 : 0);
      loaded.parts = std::move(parts);
    }
    loaded.files = std::move(files);
    {
      auto now = loaded_.lock();
      loaded.is_doubtful =
          loaded.stored != nullptr && loaded.stored == now->stored && now->is_doubtful;
      *now = loaded;
    }
    if (cache_ != nullptr && listed.is_current) {
      // Where index files are lost, so are the names of packs whose blobs are still read.
      if (loaded.damaged.empty() && !loaded.files.empty()) {
        cache_->retain_indexed({loaded.files.begin(), loaded.files.end()}, [&] { return packs(); });
      }
      if (watch == nullptr) merge(loaded);
    }
    return true;
  }
}

RepositoryIndex::Loaded RepositoryIndex::begin_with(const std::set<std::string>& files,
                                                    IndexWatch* watch) const {
  Loaded before = *loaded_.lock();
  // If index files are gone, packs are gone too: what those files said must not be used any more.
  if (is_told(before, watch) && !before.files.empty() && !before.is_doubtful &&
      includes(files, before.files)) {
    return before;
  }
  Loaded fresh;
  if (watch == nullptr) fresh.stored = open_merged(files);
  if (fresh.stored != nullptr) {
    for (const IndexId& file : fresh.stored->files()) fresh.files.insert(file.hex());
  }
  return fresh;
}

bool RepositoryIndex::is_told(const Loaded& loaded, const IndexWatch* watch) const {
  if (watch == nullptr) return true;
  // What is being merged leaves the parts.
  if (is_merging_ || loaded.stored != nullptr || loaded.files.empty()) return false;
  return std::ranges::all_of(loaded.files,
                             [&](const std::string& file) { return watch->knows(file); });
}

std::shared_ptr<const StoredIndex> RepositoryIndex::open_merged(
    const std::set<std::string>& files) const {
  if (cache_ == nullptr || !trusts_merged_) return nullptr;
  UniqueFd fd = cache_->open_merged_index();
  if (!fd) return nullptr;
  auto stored = StoredIndex::open(std::move(fd), key_);
  if (!stored) {
    log::info("the merged index in the cache is not used: {}", stored.error().message());
    return nullptr;
  }
  const auto is_there = [&](const IndexId& file) { return files.contains(file.hex()); };
  return std::ranges::all_of((*stored)->files(), is_there) ? *stored : nullptr;
}

void RepositoryIndex::merge(const Loaded& loaded) {
  if (is_merging_ || !loaded.damaged.empty()) return;
  IndexesToStore what{.stored = loaded.stored, .parts = *loaded.parts, .files = {}};
  const std::uint64_t merged = loaded.stored != nullptr ? loaded.stored->blob_count() : 0;
  const std::size_t merged_files = loaded.stored != nullptr ? loaded.stored->files().size() : 0;
  const std::uint64_t unmerged = what.blob_count() - merged;
  if (loaded.files.size() == merged_files) return;
  if (unmerged * kUnmergedPart < merged && loaded.files.size() - merged_files < kUnmergedFiles) {
    return;
  }
  for (const std::string& name : loaded.files) {
    // A file whose name is not an id has been left out as damaged.
    if (const auto id = IndexId::parse(name)) what.files.push_back(*id);
  }
  is_merging_ = true;
  try {
    merging_ = std::jthread([this, what = std::move(what), loaded](const std::stop_token& stop) {
      try {
        run_merge(what, loaded, stop);
      } catch (const std::bad_alloc&) {
        log::info("the index in the cache is not merged: out of memory");
      }
      is_merging_ = false;
    });
  } catch (const std::system_error&) {  // the system has no more threads to give
    is_merging_ = false;
  }
}

void RepositoryIndex::run_merge(const IndexesToStore& what, const Loaded& loaded,
                                const std::stop_token& stop) {
  const Deadline patience = Deadline::after(kMergePatience);
  const auto go_on = [&]() -> Status {
    if (!stop.stop_requested() || !patience.expired()) return {};
    return Error(ErrorKind::kCancelled, "the program ends");
  };
  const auto write = [&](int fd) { return write_stored_index(fd, key_, what, go_on); };
  if (!cache_->keep_merged_index(what.most_bytes(), write)) return;
  // What is in the merged file need not stay in memory.
  auto stored = open_merged(loaded.files);
  if (stored == nullptr || stored->files().size() != loaded.files.size()) return;
  auto now = loaded_.lock();
  // Parts that came while it was written stay. If they are not beside the ones that it holds, the
  // index was loaded anew.
  const bool holds_all =
      now->parts->size() >= loaded.parts->size() &&
      std::equal(loaded.parts->begin(), loaded.parts->end(), now->parts->begin());
  if (now->is_doubtful || now->stored != loaded.stored || !holds_all) return;
  const auto merged = static_cast<std::ptrdiff_t>(loaded.parts->size());
  now->stored = std::move(stored);
  now->parts = std::make_shared<Parts>(now->parts->begin() + merged, now->parts->end());
}

void RepositoryIndex::give_up(const std::shared_ptr<const StoredIndex>& stored,
                              const Error& error) {
  {
    auto now = loaded_.lock();
    if (now->stored == stored) now->is_doubtful = true;
  }
  if (trusts_merged_.exchange(false)) {
    log::info("all index files are read, as the merged index in the cache cannot be used: {}",
              error.message());
  }
  const Result<bool> loaded = refresh(Deadline::after(kReloadPatience), nullptr);
  if (!loaded) log::error("{}", loaded.error().message());
}

Result<std::shared_ptr<const Index>> RepositoryIndex::load_files(
    const std::vector<std::string>& names, Deadline by, IndexWatch* watch,
    DamagedFiles& damaged) const {
  IndexBuilder builder;
  Guarded<DamagedFiles> left_out;
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t at_once = files_.waits ? kParallelFiles : std::min(kParallelFiles, threads);
  RETURN_IF_ERROR(parallel_for(names.size(), at_once, [&](std::size_t i) -> Status {
    const FileName file{FileType::kIndex, names[i]};
    Result<Bytes> json = files_.load(file, by);
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
    left_out.lock()->emplace(names[i], parsed.error().message());
    if (watch != nullptr) {
      watch->damaged(names[i], parsed.error());
      return {};
    }
    log::error("index file {} of {} is left out, and what only it names is missing: {}", names[i],
               files_.description, parsed.error().message());
    return {};
  }));
  damaged.merge(*left_out.lock());
  return std::move(builder).build(threads);
}

std::vector<BlobLocation> RepositoryIndex::find_all(BlobType type, const BlobId& id) {
  std::vector<BlobLocation> places;
  for (bool is_first_look = true;; is_first_look = false) {
    const auto [stored, all] = [&] {
      auto now = loaded_.lock();
      return std::pair(now->stored, now->parts);
    }();
    if (stored != nullptr) {
      auto found = stored->find_all(type, id);
      if (found) {
        places = std::move(*found);
      } else if (is_first_look) {
        give_up(stored, found.error());
        continue;
      }
    }
    for (const auto& part : *all) {
      const std::vector<BlobLocation> found = part->find_all(type, id);
      places.insert(places.end(), found.begin(), found.end());
    }
    // All readers must take the blob from the same place, or a cache that has it from one place
    // would not help a reader that takes it from another.
    std::ranges::sort(places, {},
                      [](const BlobLocation& place) { return std::tie(place.pack, place.offset); });
    return places;
  }
}

std::vector<PackId> RepositoryIndex::packs() const {
  std::vector<PackId> names;
  for (const PackExtent& extent : pack_extents()) names.push_back(extent.pack);
  return names;
}

std::vector<PackExtent> RepositoryIndex::pack_extents() const {
  const Loaded now = *loaded_.lock();
  std::vector<PackExtent> extents;
  const auto add = [&](const auto& index) {
    for (std::size_t i = 0; i < index.packs().size(); ++i) {
      extents.push_back({index.packs()[i], index.pack_ends()[i]});
    }
  };
  if (now.stored != nullptr) add(*now.stored);
  for (const auto& part : *now.parts) add(*part);
  // Of a pack that several parts name, the largest extent comes first and stays.
  std::ranges::sort(extents, [](const PackExtent& a, const PackExtent& b) {
    return std::tie(a.pack, b.end) < std::tie(b.pack, a.end);
  });
  const auto repeated = std::ranges::unique(extents, {}, &PackExtent::pack);
  extents.erase(repeated.begin(), repeated.end());
  return extents;
}

std::vector<NamedPack> RepositoryIndex::named_packs() {
  const Loaded now = *loaded_.lock();
  auto named = named_packs(now);
  if (named) return std::move(*named);
  give_up(now.stored, named.error());
  return named_packs(*loaded_.lock()).value_or(std::vector<NamedPack>());
}

Result<std::vector<NamedPack>> RepositoryIndex::named_packs(const Loaded& in) {
  std::vector<NamedPack> named;
  const auto begin = [&](const std::vector<PackId>& packs) {
    for (const PackId& pack : packs) named.push_back({pack, kPackOverheadBytes});
    return named.size() - packs.size();
  };
  const auto count = [&](std::size_t first, std::span<const IndexEntry> entries) {
    for (const IndexEntry& entry : entries) {
      const std::size_t number = first + entry.pack_number();
      if (number >= named.size()) continue;
      named[number].size_bytes += entry.length + pack_header_entry_bytes(entry.blob());
    }
  };
  if (in.stored != nullptr) {
    const std::size_t first = begin(in.stored->packs());
    StoredBlock block;
    for (std::size_t i = 0; i < in.stored->block_count(); ++i) {
      ASSIGN_OR_RETURN(const std::span<const IndexEntry> entries, in.stored->read_block(i, block));
      count(first, entries);
    }
  }
  for (const auto& part : *in.parts) count(begin(part->packs()), part->entries());
  // Of a pack that several parts name, the one that names most comes first and stays.
  std::ranges::sort(named, [](const NamedPack& a, const NamedPack& b) {
    return std::tie(a.pack, b.size_bytes) < std::tie(b.pack, a.size_bytes);
  });
  const auto repeated = std::ranges::unique(named, {}, &NamedPack::pack);
  named.erase(repeated.begin(), repeated.end());
  return named;
}

IndexFigures RepositoryIndex::figures() const {
  const Loaded now = *loaded_.lock();
  IndexFigures figures;
  if (now.stored != nullptr) {
    figures = {.blobs = now.stored->blob_count(),
               .packs = now.stored->packs().size(),
               .sealed_bytes = now.stored->sealed_bytes(),
               .memory_bytes = now.stored->memory_bytes()};
  }
  for (const auto& part : *now.parts) {
    figures.blobs += part->blob_count();
    figures.packs += part->pack_count();
    figures.sealed_bytes += part->sealed_bytes();
    figures.memory_bytes += part->memory_bytes();
  }
  return figures;
}

}  // namespace restree
