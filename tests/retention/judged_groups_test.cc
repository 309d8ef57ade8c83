#include "repo/retention/judged_groups.h"

#include <gmock/gmock.h>

#include "tests/retention/written_policy.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::policy;
using ::testing::SizeIs;
using testing::snapshot_of;

Snapshot made(const std::string& host, std::vector<std::string> paths,
              std::vector<std::string> tags) {
  Snapshot one = snapshot_of("2026-11-01T12:00:00Z", std::move(tags));
  one.hostname = host;
  one.paths = std::move(paths);
  return one;
}

std::vector<JudgedGroup> judged(std::vector<Snapshot> snapshots, GroupBy by) {
  return judge_groups(std::move(snapshots), by, policy("tag=b"), {}, TimeZone());
}

TEST(JudgeGroups, AppliesThePolicyToEachByItself) {
  const auto groups =
      judged({made("b", {}, {"b"}), made("a", {}, {}), made("a", {}, {"b"})}, {.host = true});
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_EQ(groups[0].removals(), 1U);
  EXPECT_EQ(groups[1].removals(), 0U);
  EXPECT_THAT(groups[1].judged.front().reasons, ElementsAre("has tags [b]"));
}

TEST(JudgeGroups, SortsPathsAndWhereGroupsGoByThemTags) {
  const std::vector<Snapshot> one = {made("a", {"/y", "/x"}, {"b", "a"})};
  EXPECT_THAT(judged(one, {})[0].judged[0].snapshot->paths, ElementsAre("/x", "/y"));
  EXPECT_THAT(judged(one, {})[0].judged[0].snapshot->tags, ElementsAre("b", "a"));
  EXPECT_THAT(judged(one, {.tags = true})[0].judged[0].snapshot->tags, ElementsAre("a", "b"));
}

// As restic 0.19.1 says which group it refuses to empty.
TEST(GroupWords, AreRestics) {
  const auto words = [](GroupBy by) {
    return group_words(judged({made("h", {"/a", "/b"}, {"t", "b"})}, by)[0].group, by);
  };
  EXPECT_EQ(words({.host = true, .paths = true}), "host h, path [/a /b]");
  EXPECT_EQ(words({.tags = true}), "tags [b t]");
  EXPECT_EQ(words({.host = true, .paths = true, .tags = true}), "host h, path [/a /b], tags [b t]");
  EXPECT_EQ(words({}), "");
  EXPECT_EQ(words({.app = true}), "app a");
}

}  // namespace
}  // namespace restree
