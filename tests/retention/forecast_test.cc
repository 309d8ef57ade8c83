#include "repo/retention/forecast.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/retention/written_policy.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::policy;
using testing::snapshot_of;
using testing::value_of;

const Timestamp kMonday = value_of(parse_timestamp("2026-11-30T12:00:00Z"));

std::string written(const Expiry& expiry) {
  const std::string day = format_zoned_timestamp(expiry.when).substr(0, 10);
  switch (expiry.kind) {
    case Expiry::Kind::kNow:
      return "now";
    case Expiry::Kind::kOn:
      return day;
    case Expiry::Kind::kNotBefore:
      return "not before " + day;
    case Expiry::Kind::kNever:
      return "never";
  }
  return "";
}

// The newest first.
std::vector<std::string> expiries(const std::vector<Snapshot>& group, const std::string& rules) {
  const RetentionPolicy rules_of_policy = policy(rules);
  const auto judged = apply_policy(group, rules_of_policy, kMonday, TimeZone());
  std::vector<std::string> days;
  for (const Expiry& one : forecast(judged, rules_of_policy, kMonday, TimeZone()).expiries) {
    days.push_back(written(one));
  }
  return days;
}

// At three each night, the last one on 30 November.
std::vector<Snapshot> nights(int count) {
  std::vector<Snapshot> made;
  for (int i = count; i > 0; --i) {
    made.push_back(snapshot_of(fmt::format("2026-11-{:02}T03:00:00Z", 31 - i)));
  }
  return made;
}

TEST(Forecast, OfDaysCountsThem) {
  EXPECT_THAT(expiries(nights(4), "daily=3"),
              ElementsAre("2026-12-03", "2026-12-02", "2026-12-01", "now"));
}

TEST(Forecast, OfASpanGoesByItsClock) {
  EXPECT_THAT(expiries(nights(2), "within=7d"), ElementsAre("2026-12-07", "2026-12-06"));
  EXPECT_THAT(expiries(nights(1), "within=1m"), ElementsAre("2026-12-30"));
}

// 30 November is a Monday: the one of Sunday is the last of its week and stays, the one of Monday
// gives way to that of Tuesday.
TEST(Forecast, OfWeeksKeepsTheLastOfEach) {
  EXPECT_THAT(expiries(nights(2), "weekly=3"), ElementsAre("2026-12-01", "2026-12-14"));
}

TEST(Forecast, KnowsWhatIsKeptForGood) {
  std::vector<Snapshot> group = nights(3);
  group[1].tags = {"keep"};
  EXPECT_THAT(expiries(group, "last=1 tag=keep"), ElementsAre("2026-12-01", "never", "now"));
  EXPECT_THAT(expiries(nights(3), "yearly=unlimited"), ElementsAre("2026-12-01", "now", "never"))
      << "the last of its year will be that of 31 December; the oldest of all stays";
}

TEST(Forecast, EndsSomewhere) {
  EXPECT_THAT(expiries(nights(1), "last=1000000"),
              ElementsAre(::testing::StartsWith("not before")));
}

TEST(UsualInterval, IsTheMiddleOneOfTheLast) {
  const auto of = [](const std::vector<Snapshot>& group) {
    return usual_interval(apply_policy(group, policy("last=99"), kMonday, TimeZone()), kMonday);
  };
  EXPECT_EQ(of(nights(5)), 86400);
  std::vector<Snapshot> with_others = nights(5);
  with_others.push_back(snapshot_of("2026-11-29T12:00:00Z"));
  with_others.push_back(snapshot_of("2010-01-01T12:00:00Z"));
  EXPECT_EQ(of(with_others), 86400);
  EXPECT_EQ(of(nights(1)), 86400) << "nothing is known";
  EXPECT_EQ(of({snapshot_of("2099-01-01T00:00:00Z"), nights(1)[0]}), 86400)
      << "what is dated in the future says nothing";
  EXPECT_EQ(of({snapshot_of("2026-11-30T03:00:00Z"), snapshot_of("2026-11-30T03:00:01Z")}), 900);
}

}  // namespace
}  // namespace restree
