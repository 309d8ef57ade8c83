// Applies a retention policy to one group of snapshots: which are kept, and by which rules.
//
// A pure function of values; any thread. Format: restic 0.19's forget, whose rules these are:
//   - A rule about buckets goes from the newest snapshot to the oldest, keeps the first of each
//     bucket, and also the oldest snapshot of the group while it has some of its number left.
//   - A rule about a span keeps what is newer than the newest snapshot that is not in the future,
//     minus the span; see moment_before(). If all are in the future, it keeps all.
//   - A snapshot is kept if one rule keeps it.
#pragma once

#include <string>
#include <vector>

#include "repo/format/snapshot.h"
#include "repo/retention/retention_policy.h"
#include "repo/system/time_zone.h"

namespace restree {

struct JudgedSnapshot {
  const Snapshot* snapshot;
  std::vector<std::string> reasons;  // why it is kept, in restic's words and order

  bool is_kept() const { return !reasons.empty(); }
};

// The newest first, of equal times in the order given. `now` parts the future from the past, and `zone`
// is that of the process. The snapshots must outlive the result.
std::vector<JudgedSnapshot> apply_policy(const std::vector<Snapshot>& group,
                                         const RetentionPolicy& policy, Timestamp now,
                                         const TimeZone& zone);

}  // namespace restree
