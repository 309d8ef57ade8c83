// The rules of a policy, applied to the times of one group of snapshots: what apply_policy() and
// the forecast have in common.
//
// Pure functions of values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "repo/retention/buckets.h"
#include "repo/retention/retention_policy.h"
#include "repo/text/timestamp.h"

namespace restree {

// What the rules look at of a snapshot.
struct Subject {
  ZonedTimestamp time;
  std::array<std::int64_t, kBucketKinds> buckets;
  bool is_tagged;  // it has all tags of one of the policy's lists

  static Subject of(const ZonedTimestamp& time, bool is_tagged);
};

// Which rules keep a snapshot, a bit for each BucketKind. `oldest`: those of them that keep it only
// because it is the last one of its group, in the bucket of a newer one.
struct RuleMatches {
  std::uint8_t counts = 0;
  std::uint8_t spans = 0;
  std::uint8_t oldest_counts = 0;
  std::uint8_t oldest_spans = 0;

  static constexpr std::uint8_t bit(BucketKind kind) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
  }
  bool any() const { return counts != 0 || spans != 0; }
};

// The newest time before `now`, from which spans count. If there is none, the beginning of the year 1,
// which is a time that is not set to Go: spans then keep everything, as in restic.
ZonedTimestamp newest_before(const std::vector<Subject>& group, Timestamp now);

// Sets `matches` to one element for each of `newest_first`, by the rules other than --keep-tag.
// `zone` is that of the process.
void match_rules(const std::vector<Subject>& newest_first, const RetentionPolicy& policy,
                 Timestamp now, const TimeZone& zone, std::vector<RuleMatches>& matches);

// The reasons as restic words them, in its order. `lists`: the texts of the tag lists that match.
std::vector<std::string> reason_texts(const RuleMatches& matches,
                                      const std::vector<std::string>& lists,
                                      const RetentionPolicy& policy);

}  // namespace restree
