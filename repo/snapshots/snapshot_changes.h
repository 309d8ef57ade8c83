// Changes the snapshots of a repository: gives one other tags, puts one in the place of another,
// removes several.
//
// Threads: any.
// Limits:  each request to the storage gets the whole `patience`.
// Errors:  kLocked: the lock on the repository is gone, so that nothing can be changed any more.
//          Others: those of the storage.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/format/snapshot.h"
#include "repo/repository.h"

namespace restree {

struct TagChange {
  std::vector<std::string> set;     // if not empty, the new tags; the other lists then do nothing
  std::vector<std::string> add;     // each is added unless the snapshot has it
  std::vector<std::string> remove;  // from what the snapshot has after `add`
};

// The tags that a snapshot with the tags `before` is to have; nullopt if it can stay as it is. With
// `set` it is always made anew, as by restic.
std::optional<std::vector<std::string>> changed_tags(const std::vector<std::string>& before,
                                                     const TagChange& change);

// Writes `changed`, whose `id` is still that of the snapshot that it was made from, and then removes
// that one: if this ends in between, both exist and none is lost. The new snapshot names the first
// of all its predecessors as its `original`. Returns the new id.
Result<SnapshotId> replace_snapshot(Repository& repository, Snapshot changed,
                                    Deadline::Clock::duration patience);

struct SnapshotRemoval {
  Deadline::Clock::duration patience;
  std::stop_token stop = {};
  // Called for each snapshot once it is removed, or cannot be; by several threads at once. A
  // snapshot that others have removed meanwhile counts as removed.
  std::function<void(const SnapshotId& id, const Status& removed)> on_done = {};
};

// Removes the snapshots, several at a time, and goes on after one that cannot be removed. Returns
// how many could not. Errors, which end it at once: kLocked, and kCancelled once a stop is
// requested.
Result<std::size_t> remove_snapshots(Repository& repository, const std::vector<SnapshotId>& ids,
                                     const SnapshotRemoval& options);

}  // namespace restree
