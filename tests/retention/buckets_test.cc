#include "repo/retention/buckets.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::value_of;

ZonedTimestamp zoned_at(const std::string& time) { return value_of(parse_zoned_timestamp(time)); }

TEST(Buckets, AreOfTheClockThatTheSnapshotWasWrittenBy) {
  // One moment, in two zones.
  const ZonedTimestamp in_utc = zoned_at("2025-01-01T03:30:00Z");
  const ZonedTimestamp in_new_york = zoned_at("2024-12-31T22:30:00-05:00");
  EXPECT_EQ(in_utc.time, in_new_york.time);
  EXPECT_EQ(bucket_of(BucketKind::kHour, in_utc), 2025010103);
  EXPECT_EQ(bucket_of(BucketKind::kHour, in_new_york), 2024123122);
  EXPECT_EQ(bucket_of(BucketKind::kDay, in_new_york), 20241231);
  EXPECT_EQ(bucket_of(BucketKind::kWeek, in_new_york), 202501);
  EXPECT_EQ(bucket_of(BucketKind::kMonth, in_new_york), 202412);
  EXPECT_EQ(bucket_of(BucketKind::kYear, in_new_york), 2024);
}

TEST(Buckets, HaveNamesThatPeopleRead) {
  const ZonedTimestamp time = zoned_at("2024-12-30T07:59:59+01:00");
  EXPECT_EQ(bucket_name(BucketKind::kHour, time), "2024-12-30 07h");
  EXPECT_EQ(bucket_name(BucketKind::kDay, time), "2024-12-30");
  EXPECT_EQ(bucket_name(BucketKind::kWeek, time), "2025-W01");
  EXPECT_EQ(bucket_name(BucketKind::kMonth, time), "2024-12");
  EXPECT_EQ(bucket_name(BucketKind::kYear, time), "2024");
  EXPECT_EQ(bucket_name(BucketKind::kEach, time), "");
}

}  // namespace
}  // namespace restree
