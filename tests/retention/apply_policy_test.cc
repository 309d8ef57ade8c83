// The vectors are answers of restic 0.19.1: `restic forget -n --json`.
#include "repo/retention/apply_policy.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/retention/written_policy.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::policy;
using testing::snapshot_of;
using testing::value_of;

Timestamp at(const std::string& time) { return value_of(parse_timestamp(time)); }

// "NUMBER: reason, reason" for each that is kept, the newest first. Numbers are places in `group`.
std::vector<std::string> kept(const std::vector<Snapshot>& group, const std::string& rules,
                              const TimeZone& zone = TimeZone(),
                              Timestamp now = at("2026-11-30T12:00:00Z")) {
  std::vector<std::string> lines;
  for (const JudgedSnapshot& one : apply_policy(group, policy(rules), now, zone)) {
    if (!one.is_kept()) continue;
    lines.push_back(
        fmt::format("{}: {}", one.snapshot - group.data(), fmt::join(one.reasons, ", ")));
  }
  return lines;
}

class ApplyPolicy : public ::testing::Test {
 protected:
  const std::vector<Snapshot> s_ = {
      snapshot_of("2024-12-30T12:00:00Z"),
      snapshot_of("2024-12-31T12:00:00Z"),
      snapshot_of("2025-01-01T00:30:00Z"),
      snapshot_of("2025-01-01T00:30:00-05:00"),
      snapshot_of("2026-02-28T12:00:00Z", {"keep", "a"}),
      snapshot_of("2026-03-02T12:00:00Z"),
      snapshot_of("2026-03-03T12:00:00Z"),
      snapshot_of("2026-03-03T12:00:01Z", {"a"}),
      snapshot_of("2026-03-31T11:59:59Z"),
      snapshot_of("2026-03-31T12:00:00Z", {"b"}),
  };
};

TEST_F(ApplyPolicy, WithinKeepsWhatIsNewerThanTheNewestMinusTheSpan) {
  EXPECT_THAT(kept(s_, "within=1m"), ElementsAre("9: within 1m", "8: within 1m", "7: within 1m"));
}

TEST_F(ApplyPolicy, WeeklyGoesByWeeksOfTheIsoCalendar) {
  EXPECT_THAT(kept(s_, "weekly=2"), ElementsAre("9: weekly snapshot", "7: weekly snapshot"));
  EXPECT_THAT(kept(s_, "weekly=4"), ElementsAre("9: weekly snapshot", "7: weekly snapshot",
                                                "4: weekly snapshot", "3: weekly snapshot"));
}

TEST_F(ApplyPolicy, TheOldestIsKeptWhereNumbersAreLeft) {
  EXPECT_THAT(
      kept(s_, "daily=3 yearly=5"),
      ElementsAre("9: daily snapshot, yearly snapshot", "7: daily snapshot", "5: daily snapshot",
                  "3: yearly snapshot", "1: yearly snapshot", "0: oldest yearly snapshot"));
}

TEST_F(ApplyPolicy, TheOldestIsKeptWithinASpan) {
  EXPECT_THAT(kept(s_, "within-weekly=2y"),
              ElementsAre("9: weekly within 2y", "7: weekly within 2y", "4: weekly within 2y",
                          "3: weekly within 2y", "0: oldest weekly within 2y"));
}

TEST_F(ApplyPolicy, TagsKeepWhatHasAllOfAList) {
  EXPECT_THAT(kept(s_, "tag=a"), ElementsAre("7: has tags [a]", "4: has tags [a]"));
  EXPECT_THAT(kept(s_, "tag=a,keep last=1"),
              ElementsAre("9: last snapshot", "4: has tags [a, keep]"));
  EXPECT_THAT(kept(s_, "tag=a tag=keep"),
              ElementsAre("7: has tags [a]", "4: has tags [a], has tags [keep]"));
  EXPECT_THAT(kept(s_, "tag=mistyped"), IsEmpty());
}

TEST_F(ApplyPolicy, AnEmptyTagKeepsWhatHasNone) {
  EXPECT_THAT(kept({s_[4], s_[5]}, "tag="), ElementsAre("1: has tags []"));
}

TEST_F(ApplyPolicy, UnlimitedKeepsOneOfEachBucket) {
  EXPECT_THAT(kept(s_, "monthly=unlimited"),
              ElementsAre("9: monthly snapshot", "4: monthly snapshot", "3: monthly snapshot",
                          "1: monthly snapshot", "0: oldest monthly snapshot"));
}

TEST_F(ApplyPolicy, ReasonsComeInResticsOrder) {
  EXPECT_THAT(
      kept({s_[9]}, "within-yearly=1y within-hourly=1h yearly=1 last=1 daily=1 within=1d tag=b"),
      ElementsAre("0: has tags [b], within 1d, last snapshot, daily snapshot, yearly snapshot, "
                  "hourly within 1h, yearly within 1y"));
}

// P and Q of the days around the change to summer time in Berlin: seven days before Q by its clocks
// are an hour more than in UTC.
TEST_F(ApplyPolicy, SpansFollowTheClocksOfTheProcesssZone) {
  const std::vector<Snapshot> pair = {snapshot_of("2026-03-25T02:30:00+01:00"),
                                      snapshot_of("2026-04-01T03:00:00+02:00")};
  EXPECT_THAT(kept(pair, "within=7d", TimeZone::named("Europe/Berlin")),
              ElementsAre("1: within 7d"));
  EXPECT_THAT(kept(pair, "within=7d"), ElementsAre("1: within 7d", "0: within 7d"));
}

TEST_F(ApplyPolicy, SpansCountFromTheNewestThatIsNotInTheFuture) {
  const Timestamp now = at("2026-03-10T00:00:00Z");
  EXPECT_THAT(kept(s_, "within=1d", TimeZone(), now),
              ElementsAre("9: within 1d", "8: within 1d", "7: within 1d", "6: within 1d"));
}

TEST_F(ApplyPolicy, SpansKeepAllWhereAllIsInTheFuture) {
  EXPECT_EQ(kept(s_, "within=1h", TimeZone(), at("2020-01-01T00:00:00Z")).size(), s_.size());
}

TEST_F(ApplyPolicy, ASnapshotOfThisVeryMomentIsNotYetInThePast) {
  EXPECT_THAT(kept({s_[0], s_[9]}, "within=1h", TimeZone(), s_[9].time),
              ElementsAre("1: within 1h", "0: within 1h"));
}

TEST_F(ApplyPolicy, AnEmptyPolicyKeepsNothing) { EXPECT_THAT(kept(s_, ""), IsEmpty()); }

TEST_F(ApplyPolicy, OfNothingNothingIsKept) { EXPECT_THAT(kept({}, "last=1"), IsEmpty()); }

}  // namespace
}  // namespace restree
