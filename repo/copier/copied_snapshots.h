// Which snapshots of another repository are in this one already, by restic's rule.
//
// Pure functions of values. Threads: one.
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "repo/format/id.h"
#include "repo/format/snapshot.h"

namespace restree {

// Whether both record the same backup: the same moment, tree, host, user and excludes, and the same
// paths and tags in any order. What they were made from does not count.
bool is_same_backup(const Snapshot& a, const Snapshot& b);

// `source` as it is saved in another repository: with the id of the first of its predecessors, or its
// own, as `original`, and without a parent, which may not be there.
Snapshot copied_form(Snapshot source);

// Snapshots of a destination, to be found by those that they were copied from.
class CopiedSnapshots {
 public:
  explicit CopiedSnapshots(const std::vector<Snapshot>& there);

  void add(const Snapshot& copy);
  // The copy of `source`. nullopt: there is none, or either was changed since (its tags, for example).
  std::optional<SnapshotId> find(const Snapshot& source) const;

 private:
  std::unordered_multimap<SnapshotId, Snapshot> by_id_;  // by the original's id, and by the own
};

}  // namespace restree
