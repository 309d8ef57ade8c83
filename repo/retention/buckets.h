// Buckets: stretches of the calendar of which a policy keeps one snapshot each.
//
// A snapshot's bucket goes by what the clock of its own zone has shown, the zone that the snapshot
// was written in; so two snapshots of one moment may be of different days.
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "repo/text/timestamp.h"

namespace restree {

// In the order in which policies are judged. With kEach every snapshot is a bucket of its own.
enum class BucketKind : std::uint8_t { kEach, kHour, kDay, kWeek, kMonth, kYear };
inline constexpr std::size_t kBucketKinds = 6;
inline constexpr std::array<BucketKind, kBucketKinds> kAllBucketKinds = {
    BucketKind::kEach, BucketKind::kHour,  BucketKind::kDay,
    BucketKind::kWeek, BucketKind::kMonth, BucketKind::kYear};

// "last", "hourly", "daily" and so on: restic's words for a rule about such buckets.
std::string_view rule_word(BucketKind kind);
// "hour", "day" and so on; "snapshot" for kEach.
std::string_view bucket_word(BucketKind kind);

// A number that is the same for times of one bucket and no others. 0 for kEach.
std::int64_t bucket_of(BucketKind kind, const ZonedTimestamp& time);

// The bucket as people write it: "2026-03-31 12h", "2026-03-31", "2026-W14", "2026-03", "2026". Empty
// for kEach.
std::string bucket_name(BucketKind kind, const ZonedTimestamp& time);

}  // namespace restree
