#include "repo/snapshots/snapshot_changes.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "repo/base/thread_pool.h"

namespace restree {
namespace {

// Each waits a round trip for its answer; a storage bounds what it can do at once.
constexpr std::size_t kParallelRemovals = 16;

Status remove_snapshot(Repository& repository, const SnapshotId& id, Deadline by) {
  return repository.storage().remove({FileType::kSnapshot, id.hex()}, by);
}

}  // namespace

std::optional<std::vector<std::string>> changed_tags(const std::vector<std::string>& before,
                                                     const TagChange& change) {
  if (!change.set.empty()) return change.set;
  std::vector<std::string> tags = before;
  for (const std::string& tag : change.add) {
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
  // As in restic, the last tag takes the place of the removed one.
  for (const std::string& tag : change.remove) {
    const auto found = std::find(tags.begin(), tags.end(), tag);
    if (found == tags.end()) continue;
    std::swap(*found, tags.back());
    tags.pop_back();
  }
  if (tags == before) return std::nullopt;
  return tags;
}

Result<SnapshotId> replace_snapshot(Repository& repository, Snapshot changed,
                                    Deadline::Clock::duration patience) {
  const SnapshotId before = changed.id;
  if (!changed.original) changed.original = before;
  ASSIGN_OR_RETURN(const SnapshotId id,
                   repository.save_snapshot(changed, Deadline::after(patience)));
  RETURN_IF_ERROR(remove_snapshot(repository, before, Deadline::after(patience)));
  return id;
}

Result<std::size_t> remove_snapshots(Repository& repository, const std::vector<SnapshotId>& ids,
                                     const SnapshotRemoval& options) {
  std::atomic<std::size_t> failed = 0;
  RETURN_IF_ERROR(parallel_for(ids.size(), kParallelRemovals, [&](std::size_t i) -> Status {
    if (options.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    Status removed = remove_snapshot(repository, ids[i], Deadline::after(options.patience));
    if (!removed && removed.error().kind() == ErrorKind::kLocked) return removed;
    if (!removed && removed.error().kind() == ErrorKind::kNotFound) removed = {};
    if (!removed) ++failed;
    if (options.on_done) options.on_done(ids[i], removed);
    return {};
  }));
  return failed.load();
}

}  // namespace restree
