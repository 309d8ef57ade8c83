#include "repo/retention/calendar_span.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

TEST(CalendarSpan, ReadsItsUnitsInAnyOrder) {
  EXPECT_EQ(value_of(CalendarSpan::parse("1y5m7d2h")), (CalendarSpan{1, 5, 7, 2}));
  EXPECT_EQ(value_of(CalendarSpan::parse("2h7d5m1y")), (CalendarSpan{1, 5, 7, 2}));
  EXPECT_EQ(value_of(CalendarSpan::parse(" \t7d\n")), (CalendarSpan{.days = 7}));
  EXPECT_EQ(value_of(CalendarSpan::parse("1d2d")), (CalendarSpan{.days = 2})) << "the last counts";
  EXPECT_EQ(value_of(CalendarSpan::parse("-1d3h")), (CalendarSpan{.days = -1, .hours = 3}));
  EXPECT_TRUE(value_of(CalendarSpan::parse("")).is_zero());
  EXPECT_TRUE(value_of(CalendarSpan::parse("0y")).is_zero());
}

TEST(CalendarSpan, IsWrittenFromYearsToHoursWithoutWhatIsZero) {
  EXPECT_EQ(value_of(CalendarSpan::parse("1y1d1m")).text(), "1y1m1d");
  EXPECT_EQ(value_of(CalendarSpan::parse("0y12h")).text(), "12h");
  EXPECT_EQ(CalendarSpan().text(), "");
}

// What restic 0.19.1 says of these values.
TEST(CalendarSpan, RefusesInResticsWords) {
  const auto words = [](std::string_view text) {
    const auto refused = CalendarSpan::parse(text);
    EXPECT_THAT(refused, FailsWith(ErrorKind::kInvalid)) << text;
    return refused ? "" : refused.error().message();
  };
  EXPECT_EQ(words("1w"), "invalid unit 'w' found after number 1");
  EXPECT_EQ(words("1D"), "invalid unit 'D' found after number 1");
  EXPECT_EQ(words("1\u00e9"), "invalid unit '\u00c3' found after number 1");
  EXPECT_EQ(words("1'"), "invalid unit '\\'' found after number 1");
  EXPECT_EQ(words("5"), "no unit found after number 5");
  for (const char* text : {"d", "+1d", "--1d", "1d-", "1d 2h"}) {
    EXPECT_EQ(words(text), "no number found") << text;
  }
  EXPECT_EQ(words("99999999999999999999d"), "number 99999999999999999999 is too large");
}

// A zone's clocks, as dates and times of day.
class MomentBefore : public ::testing::Test {
 protected:
  static std::string before(const std::string& time, const std::string& span,
                            const TimeZone& zone = TimeZone()) {
    return format_timestamp(moment_before(value_of(parse_zoned_timestamp(time)),
                                          value_of(CalendarSpan::parse(span)), zone));
  }
  const TimeZone berlin_ = TimeZone::named("Europe/Berlin");
};

TEST_F(MomentBefore, KeepsTheTimeOfDay) {
  EXPECT_EQ(before("2026-03-31T12:00:00.5Z", "1y"), "2025-03-31T12:00:00.5Z");
  EXPECT_EQ(before("2026-01-15T12:00:00Z", "2m15d"), "2025-10-31T12:00:00Z");
  EXPECT_EQ(before("2026-03-31T12:00:00Z", "36h"), "2026-03-30T00:00:00Z");
}

TEST_F(MomentBefore, ADayThatItsMonthLacksIsOneOfTheNext) {
  EXPECT_EQ(before("2026-03-31T12:00:00Z", "1m"), "2026-03-03T12:00:00Z");
  EXPECT_EQ(before("2024-02-29T12:00:00Z", "1y"), "2023-03-01T12:00:00Z");
}

// Berlin's clocks went forward on 29 March 2026.
TEST_F(MomentBefore, FollowsTheClocksOfTheProcesssZone) {
  EXPECT_EQ(before("2026-04-01T03:00:00+02:00", "7d", berlin_), "2026-03-25T02:00:00Z");
  EXPECT_EQ(before("2026-04-01T03:00:00+02:00", "7d"), "2026-03-25T01:00:00Z");
}

TEST_F(MomentBefore, HoursAreHoursWhateverTheClocksDo) {
  EXPECT_EQ(before("2026-04-01T03:00:00+02:00", "168h", berlin_), "2026-03-25T01:00:00Z");
}

TEST_F(MomentBefore, ATimeOfAnotherOffsetKeepsThat) {
  EXPECT_EQ(before("2026-04-01T03:00:00+01:00", "7d", berlin_), "2026-03-25T02:00:00Z");
  EXPECT_EQ(before("2026-04-01T03:00:00Z", "7d", TimeZone::named("Europe/London")),
            "2026-03-25T03:00:00Z");
}

TEST_F(MomentBefore, ATimeInUtcStaysThereWhereTheZoneShowsTheSame) {
  EXPECT_EQ(before("2026-02-01T12:00:00Z", "5m", TimeZone::named("Europe/London")),
            "2025-09-01T12:00:00Z");
}

// 02:30 was skipped on 29 March, and shown twice on 25 October.
TEST_F(MomentBefore, TakesASkippedAndADoubledTimeAsGoDoes) {
  EXPECT_EQ(before("2026-04-05T02:30:00+02:00", "7d", berlin_), "2026-03-29T01:30:00Z");
  EXPECT_EQ(before("2026-11-01T02:30:00+01:00", "7d", berlin_), "2026-10-25T01:30:00Z");
}

TEST_F(MomentBefore, ReachesBackAMillionYears) {
  const Timestamp far = moment_before({{0, 0}, 0}, {.years = CalendarSpan::kMost}, TimeZone());
  EXPECT_LT(far.seconds, -std::int64_t{CalendarSpan::kMost} * 365 * 86400);
}

}  // namespace
}  // namespace restree
