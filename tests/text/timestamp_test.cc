#include "repo/text/timestamp.h"

#include "repo/system/time_zone.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

TEST(ParseTimestamp, SubtractsTheZone) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00Z"), Timestamp{});
  EXPECT_EQ(parse_timestamp("1970-01-01T02:00:00+02:00"), Timestamp{});
  EXPECT_EQ(parse_timestamp("1969-12-31T20:30:00-03:30"), Timestamp{});
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00+00:00"), Timestamp{});
}

TEST(ParseTimestamp, ReadsOneToNineFractionalDigits) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01.5Z"), (Timestamp{1, 500'000'000}));
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01.000000006Z"), (Timestamp{1, 6}));
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:01.999999999Z"), (Timestamp{1, 999'999'999}));
}

TEST(ParseTimestamp, ReadsTimesBeforeTheEpoch) {
  EXPECT_EQ(parse_timestamp("1969-12-31T23:59:59.25Z"), (Timestamp{-1, 250'000'000}));
  EXPECT_EQ(parse_timestamp("1901-12-13T20:45:52Z"), (Timestamp{-2147483648, 0}));
}

TEST(ParseTimestamp, ReachesFromYearZeroToYear9999) {
  EXPECT_EQ(parse_timestamp("0001-01-01T00:00:00Z"), (Timestamp{-62135596800, 0}));
  EXPECT_EQ(parse_timestamp("0000-01-01T00:00:00Z"), (Timestamp{-62167219200, 0}));
  EXPECT_EQ(parse_timestamp("9999-12-31T23:59:59Z"), (Timestamp{253402300799, 0}));
}

TEST(ParseTimestamp, KnowsLeapDays) {
  EXPECT_EQ(parse_timestamp("2024-02-29T00:00:00Z"), (Timestamp{1709164800, 0}));
  EXPECT_EQ(parse_timestamp("2023-02-29T00:00:00Z"), std::nullopt);
}

TEST(ParseTimestamp, RefusesTextsThatAreNotTimes) {
  for (const char* text :
       {"", "2024", "2024-01-01", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00",
        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.1234567890Z", "2024-13-01T00:00:00Z",
        "2024-00-01T00:00:00Z", "2024-01-32T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00Zx",
        "2024-01-01T00:00:00+2:00", "2024-01-01T00:00:00+02", "2024-01-01T00:00:00*02:00",
        "-024-01-01T00:00:00Z", "2024-01-01T00:00:00+25:00"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

TEST(ParseLocalTime, MayHaveAFraction) {
  const TimeZone utc;
  EXPECT_EQ(parse_local_time("2024-02-29 00:00:00", utc), (Timestamp{1709164800, 0}));
  EXPECT_EQ(parse_local_time("2024-02-29 00:00:00.5", utc), (Timestamp{1709164800, 500'000'000}));
  EXPECT_EQ(parse_local_time("2024-02-29 00:00:00,25", utc), (Timestamp{1709164800, 250'000'000}));
  for (const char* text :
       {"2024-02-29 00:00:00.", "2024-02-29 00:00:00.x", "2024-02-29 00:00:00 .5",
        "2024-02-29 00:00.5", "2024-02-29 00:00:00.5Z"}) {
    EXPECT_EQ(parse_local_time(text, utc), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace restree
