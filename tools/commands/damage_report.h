// What the damage that a check has found means: the packs and blobs, and which apps, snapshots and
// files need them.
//
// Threads: one.
// Limits:  each list names its first entries, and then how many more there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/checker/damage.h"
#include "repo/checker/hit_trees.h"
#include "repo/format/snapshot.h"
#include "repo/repository.h"
#include "repo/text/timestamp.h"

namespace restree {

// Snapshots of an app that lack the same paths, the newest first.
struct HitSnapshots {
  std::vector<SnapshotId> ids;
  ZonedTimestamp newest;
  std::vector<std::string> paths;  // the first of them
  std::uint64_t path_count = 0;
};

struct HitApp {
  std::string name;
  std::size_t hit = 0;  // of its snapshots
  std::size_t snapshots = 0;
  std::vector<HitSnapshots> groups;  // the first of them
};

// The damage alone. Empty: no blob is damaged.
std::string damage_text(const Damage& damage);
// Blobs that are whole, but not where the index has them. Empty: there are none.
std::string misplaced_text(std::uint64_t blobs);
// What needs it; `apps`: those that find_hits() has found. `may_be_found`: some of it is only in no
// index.
std::string hits_text(const std::vector<HitApp>& apps, bool may_be_found = false);

// The apps that need what is lost, by their names. Errors: those of HitTrees.
Result<std::vector<HitApp>> find_hits(const std::vector<Snapshot>& snapshots, HitTrees& trees);

}  // namespace restree
