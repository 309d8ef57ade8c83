// A policy applied to all snapshots, group by group.
//
// A pure function of values; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "repo/retention/apply_policy.h"
#include "repo/snapshots/snapshot_filter.h"

namespace restree {

// Ownership: `judged` names snapshots of `group`, also after a move.
struct JudgedGroup {
  SnapshotGroup group;
  std::vector<JudgedSnapshot> judged;  // the newest first

  JudgedGroup(SnapshotGroup members, std::vector<JudgedSnapshot> judgements)
      : group(std::move(members)), judged(std::move(judgements)) {}
  JudgedGroup(JudgedGroup&&) = default;
  JudgedGroup& operator=(JudgedGroup&&) = default;

  std::size_t removals() const;
};

// In the order of group_snapshots(). The paths of each snapshot are sorted, and, where groups go by
// tags, its tags, as restic then shows them.
std::vector<JudgedGroup> judge_groups(std::vector<Snapshot> snapshots, GroupBy by,
                                      const RetentionPolicy& policy, Timestamp now,
                                      const TimeZone& zone);

// What restic calls a group in messages: "host h, path [/a /b], tags [t]"; empty for the group of
// all snapshots.
std::string group_words(const SnapshotGroup& group, GroupBy by);

}  // namespace restree
