#include "repo/repairer/unindexed_packs.h"

#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/thread_pool.h"
#include "repo/crypto/sha256_stream.h"
#include "repo/writer/pending_index.h"

namespace restree {
namespace {

// For storages where a reader does little but wait. With others, more packs at a time than there
// are processors are of no use.
constexpr std::size_t kMostParallelPacks = 8;

Error stopped_reading() {
  return {ErrorKind::kCancelled, "interrupted while reading what a backup has left"};
}

// One lock is that of this run.
Result<bool> others_hold_locks(Repository& repository, const std::set<std::string>& dead,
                               Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> locks,
                   repository.storage().list(FileType::kLock, by));
  // Where no sizes are listed, not even that of this run's lock, an empty file counts as well.
  const bool has_sizes =
      std::ranges::any_of(locks, [](const ListedFile& lock) { return lock.size_bytes > 0; });
  const auto count = std::ranges::count_if(locks, [&](const ListedFile& lock) {
    return (lock.size_bytes > 0 || !has_sizes) && !dead.contains(lock.name);
  });
  return count > 1;
}

// Reads packs back, several at once, and indexes those that are whole.
class Adoption {
 public:
  Adoption(Repository& repository, const AdoptionOptions& options)
      : repository_(repository), options_(options), index_(repository) {}

  Result<AdoptedPacks> run(std::vector<StoredPack> packs);

 private:
  Deadline patience() const { return Deadline::after(options_.patience); }
  Status drop_indexed(std::vector<StoredPack>& packs);
  void drop_what_is_too_much(std::vector<StoredPack>& packs);
  Status look_at(const StoredPack& pack);
  Status expect_whole(const StoredPack& pack);
  void leave_out(const Error& error);

  Repository& repository_;
  const AdoptionOptions& options_;
  PendingIndex index_;
  Guarded<AdoptedPacks> adopted_;
};

// A backup that has ended since they were listed has named its packs.
Status Adoption::drop_indexed(std::vector<StoredPack>& packs) {
  RETURN_IF_ERROR(repository_.refresh_index(patience()));
  const std::vector<PackId> indexed = repository_.indexed_packs();
  std::erase_if(
      packs, [&](const StoredPack& pack) { return std::ranges::binary_search(indexed, pack.id); });
  return {};
}

void Adoption::drop_what_is_too_much(std::vector<StoredPack>& packs) {
  std::uint64_t sum = 0;
  const auto first_left = std::ranges::find_if(packs, [&](const StoredPack& pack) {
    sum += pack.size_bytes;
    return sum > options_.most_bytes;
  });
  if (first_left == packs.end()) return;
  leave_out(Error(ErrorKind::kUnsupported,
                  fmt::format("{} more packs are in no index, too many to read them all",
                              packs.end() - first_left))
                .hinting("`restree repair index` names them in an index again."));
  packs.erase(first_left, packs.end());
}

Status Adoption::expect_whole(const StoredPack& pack) {
  Storage& storage = repository_.storage();
  const FileName file{FileType::kPack, pack.id.hex()};
  const std::uint64_t piece = storage.read_habit().request_bytes;
  Sha256Stream hash;
  Bytes buffer;
  for (std::uint64_t at = 0; at < pack.size_bytes; at += piece) {
    if (options_.stop.stop_requested()) return stopped_reading();
    const ByteRange range{at, std::min(piece, pack.size_bytes - at)};
    ASSIGN_OR_RETURN(const ByteView bytes, storage.read_into(buffer, file, range, patience()));
    hash.update(bytes);
  }
  if (const PackId content{hash.finish()}; content != pack.id) {
    return Error(ErrorKind::kCorrupt,
                 fmt::format("pack {}: its content does not have the hash that its name says",
                             pack.id.hex()));
  }
  return {};
}

Status Adoption::look_at(const StoredPack& pack) {
  if (options_.stop.stop_requested()) return stopped_reading();
  auto blobs = load_pack_header(repository_, pack, patience());
  Status whole = blobs ? expect_whole(pack) : Status(blobs.error());
  if (!whole) {
    const ErrorKind kind = whole.error().kind();
    if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled) return whole;
    leave_out(whole.error());
    return {};
  }
  {
    auto sum = adopted_.lock();
    ++sum->packs;
    sum->blobs += blobs->size();
    sum->bytes += pack.size_bytes;
  }
  return index_.add({pack.id, std::move(*blobs)}, patience());
}

void Adoption::leave_out(const Error& error) {
  if (options_.on_left_out) options_.on_left_out(error);
}

Result<AdoptedPacks> Adoption::run(std::vector<StoredPack> packs) {
  if (packs.empty()) return AdoptedPacks{};
  ASSIGN_OR_RETURN(const bool has_company,
                   others_hold_locks(repository_, options_.dead_locks, patience()));
  if (has_company) return AdoptedPacks{};
  RETURN_IF_ERROR(drop_indexed(packs));
  drop_what_is_too_much(packs);
  if (packs.empty()) return AdoptedPacks{};
  std::uint64_t bytes = 0;
  for (const StoredPack& pack : packs) bytes += pack.size_bytes;
  if (options_.on_begin) options_.on_begin(packs.size(), bytes);

  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t threads = repository_.storage().read_habit().waits
                                  ? kMostParallelPacks
                                  : std::min(processors, kMostParallelPacks);
  RETURN_IF_ERROR(
      parallel_for(packs.size(), threads, [&](std::size_t i) { return look_at(packs[i]); }));
  RETURN_IF_ERROR(index_.save(patience()));
  const AdoptedPacks adopted = *adopted_.lock();
  if (adopted.packs > 0) RETURN_IF_ERROR(repository_.refresh_index(patience()));
  return adopted;
}

}  // namespace

Result<PackDifferences> compare_packs(Repository& repository, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                   repository.storage().list(FileType::kPack, by));
  const std::vector<StoredPack> stored = packs_in(files);
  const bool has_sizes = have_sizes(stored);

  PackDifferences differences;
  auto here = stored.begin();
  for (const PackExtent& named : repository.indexed_pack_extents()) {
    for (; here != stored.end() && here->id < named.pack; ++here) {
      differences.unindexed.push_back(*here);
    }
    const bool is_there = here != stored.end() && here->id == named.pack;
    const bool is_long_enough = is_there && (!has_sizes || here->size_bytes >= named.end);
    if (!is_long_enough) differences.lost.push_back(named.pack);
    if (is_there) ++here;
  }
  differences.unindexed.insert(differences.unindexed.end(), here, stored.end());
  return differences;
}

Result<AdoptedPacks> adopt_packs(Repository& repository, std::vector<StoredPack> unindexed,
                                 const AdoptionOptions& options) {
  return Adoption(repository, options).run(std::move(unindexed));
}

}  // namespace restree
