// A retention policy: which snapshots of a group are kept, in the terms of restic's forget.
//
// Pure functions of values; any thread.
// Errors: kInvalid, in restic's words.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/retention/buckets.h"
#include "repo/retention/calendar_span.h"

namespace restree {

struct RetentionPolicy {
  static constexpr std::int64_t kUnlimited = -1;

  // Of how many buckets of each kind the newest snapshot is kept, by BucketKind.
  std::array<std::int64_t, kBucketKinds> counts{};
  // For how long before the newest snapshot of the group the newest of each bucket is kept.
  std::array<CalendarSpan, kBucketKinds> spans{};
  // Snapshots that have all tags of one list are kept; an empty tag means a snapshot without tags.
  std::vector<std::vector<std::string>> tag_lists;

  std::int64_t count(BucketKind kind) const { return counts[static_cast<std::size_t>(kind)]; }
  const CalendarSpan& span(BucketKind kind) const { return spans[static_cast<std::size_t>(kind)]; }
  // Whether a rule about such buckets is part of it.
  bool uses(BucketKind kind) const { return count(kind) != 0 || !span(kind).is_zero(); }
  // No rule at all.
  bool empty() const;
  // Spans may be read with negative parts, and are then refused here, as by restic.
  Status check() const;
  // "keep 2 latest, all daily snapshots and all snapshots within 7d of the newest"; "remove" if it is
  // empty.
  std::string description() const;
};

// The value of --keep-daily and its like: a number of buckets, or `unlimited`.
Result<std::int64_t> parse_keep_count(std::string_view text);

// "[a, b]", as restic writes a list of tags.
std::string tag_list_text(const std::vector<std::string>& tags);

}  // namespace restree
