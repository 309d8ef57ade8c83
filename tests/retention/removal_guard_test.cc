#include "repo/retention/removal_guard.h"

#include <gmock/gmock.h>

#include "tests/retention/written_policy.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::policy;
using testing::snapshot_of;
using testing::value_of;

const Timestamp kNow = value_of(parse_timestamp("2026-11-30T12:00:00Z"));

Snapshot of_host(const std::string& host, int day, const std::string& path = "/srv",
                 std::vector<std::string> tags = {}) {
  Snapshot one = snapshot_of("2026-11-0" + std::to_string(day) + "T12:00:00Z", std::move(tags));
  one.hostname = host;
  one.paths = {path};
  return one;
}

std::vector<JudgedGroup> judged(std::vector<Snapshot> snapshots, const std::string& rules) {
  return judge_groups(std::move(snapshots), {.host = true, .paths = true}, policy(rules), kNow,
                      TimeZone());
}

TEST(MostRemoved, IsAShareOrUnlimited) {
  EXPECT_EQ(value_of(parse_most_removed("50%")), 50);
  EXPECT_EQ(value_of(parse_most_removed("12.5%")), 12.5);
  EXPECT_EQ(value_of(parse_most_removed("0%")), 0);
  EXPECT_EQ(value_of(parse_most_removed("100%")), 100);
  EXPECT_EQ(value_of(parse_most_removed("unlimited")), 100);
  for (const char* text : {"", "50", "%", "x%", "-1%", "101%", "5 %", "1e1%", "nan%", "50%%"}) {
    EXPECT_THAT(parse_most_removed(text), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

TEST(GroupLosingMost, IsTheOneWithTheLargestShareBeyondWhatIsAllowed) {
  const auto groups = judged({of_host("a", 1), of_host("a", 2), of_host("b", 1), of_host("b", 2),
                              of_host("b", 3), of_host("c", 1)},
                             "last=1");
  ASSERT_NE(find_group_losing_most(groups, 50), nullptr);
  EXPECT_EQ(find_group_losing_most(groups, 50)->group.hostname, "b");
  EXPECT_EQ(find_group_losing_most(groups, 67), nullptr);
}

TEST(GroupLosingMost, MayLoseJustWhatIsAllowed) {
  const auto groups = judged({of_host("a", 1), of_host("a", 2)}, "last=1");
  EXPECT_EQ(find_group_losing_most(groups, 50), nullptr);
  EXPECT_NE(find_group_losing_most(groups, 49.9), nullptr);
  EXPECT_EQ(find_group_losing_most({}, 0), nullptr);
}

TEST(SnapshotsOfTheFuture, AreNotThoseOfAMachineWhoseClockIsAheadALittle) {
  Snapshot a_little = snapshot_of("2026-11-30T12:59:59Z");
  Snapshot far = snapshot_of("2099-01-01T00:00:00Z");
  Snapshot near = snapshot_of("2026-11-30T13:00:01Z");
  const auto groups = judged({a_little, near, far, of_host("a", 1)}, "last=9");
  const auto future = snapshots_of_the_future(groups, kNow);
  ASSERT_EQ(future.size(), 2U);
  EXPECT_EQ(future[0]->time, far.time);
  EXPECT_EQ(future[1]->time, near.time);
}

TEST(LonelyGroups, AreSaidWithTheGroupingThatWouldHelp) {
  std::vector<Snapshot> of_paths;
  for (int day = 1; day <= 5; ++day) {
    of_paths.push_back(of_host("a", day, "/tmp/backup." + std::to_string(day)));
  }
  const auto lonely = find_lonely_groups(judged(of_paths, "last=1"));
  ASSERT_TRUE(lonely);
  EXPECT_EQ(lonely->lonely, 5U);
  EXPECT_EQ(lonely->all, 5U);
  EXPECT_EQ(lonely->better, "host");

  for (Snapshot& one : of_paths) one.tags = {"app=wiki"};
  EXPECT_EQ(value_of(find_lonely_groups(judged(of_paths, "last=1"))).better, "app");
}

TEST(LonelyGroups, MayBeBeyondHelp) {
  const auto lonely = find_lonely_groups(
      judged({of_host("a", 1, "/1"), of_host("b", 2, "/2"), of_host("c", 3, "/3")}, "last=1"));
  EXPECT_EQ(value_of(lonely).better, std::nullopt);
}

TEST(LonelyGroups, AreNothingToSpeakOfWhereMostGroupsHoldMore) {
  EXPECT_FALSE(find_lonely_groups(judged({of_host("a", 1), of_host("b", 1)}, "last=1")));
  EXPECT_FALSE(find_lonely_groups(
      judged({of_host("a", 1), of_host("b", 1), of_host("b", 2), of_host("c", 1), of_host("c", 2)},
             "last=1")));
}

}  // namespace
}  // namespace restree
