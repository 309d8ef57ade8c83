#include "repo/pruner/listed_packs.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "repo/base/thread_pool.h"

namespace restree {
namespace {

// A backup that takes no lock may be under way for so long before its packs are in an index.
constexpr std::int64_t kYoungSeconds = 24 * 60 * 60;
// Small and far away: several at once hide the round trips.
constexpr std::size_t kParallelSizes = 8;

// By the clock of the storage, which wrote the lock of this run a few minutes ago at most, or by that of
// this machine if it is behind: where clocks are wrong, packs look younger than they are.
Result<std::int64_t> storage_time(Storage& storage, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> locks, storage.list(FileType::kLock, by));
  std::optional<std::int64_t> newest;
  for (const ListedFile& lock : locks) newest = std::max(newest, lock.modified);
  const std::int64_t here = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return std::min(newest.value_or(here), here);
}

bool is_young(const ListedFile& file, std::int64_t now) {
  return !file.modified || *file.modified > now - kYoungSeconds;
}

}  // namespace

Result<std::vector<ListedPack>> list_packs(Repository& repository, std::chrono::seconds patience) {
  Storage& storage = repository.storage();
  const auto soon = [&] { return Deadline::after(patience); };
  ASSIGN_OR_RETURN(const std::int64_t now, storage_time(storage, soon()));
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files, storage.list(FileType::kPack, soon()));
  std::vector<ListedPack> packs;
  packs.reserve(files.size());
  for (const ListedFile& file : files) {
    const auto id = PackId::parse(file.name);
    if (!id) continue;
    packs.push_back({*id, file.size_bytes, is_young(file, now)});
  }
  // Some servers give no sizes in a listing.
  RETURN_IF_ERROR(parallel_for(packs.size(), kParallelSizes, [&](std::size_t i) -> Status {
    if (packs[i].size_bytes != 0) return {};
    const FileName file{FileType::kPack, packs[i].id.hex()};
    ASSIGN_OR_RETURN(packs[i].size_bytes, storage.size(file, soon()));
    return {};
  }));
  return packs;
}

}  // namespace restree
