#include "fs/namespace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/fs/built_namespace.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::snapshot;
using testing::Snapshots;
using testing::Space;

// --- layout -------------------------------------------------------------------------------------

TEST(Namespace, WithoutSnapshotsHasItsDirectories) {
  const Space space({});
  EXPECT_THAT(space.names({}), ElementsAre("apps", "hosts", "ids", "snapshots", "tags"));
  EXPECT_THAT(space.names({"apps"}), IsEmpty());
}

TEST(Namespace, ShowsASnapshotInEveryView) {
  const auto one = snapshot({.tags = {"app=gitea", "nightly"}});
  const Space space({one});
  EXPECT_THAT(space.names({"apps"}), ElementsAre("gitea"));
  EXPECT_THAT(space.names({"apps", "gitea"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
  EXPECT_THAT(space.names({"ids"}), ElementsAre(one->id.short_hex()));
  EXPECT_THAT(space.names({"snapshots"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
  EXPECT_THAT(space.names({"hosts", "nas"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
  EXPECT_THAT(space.names({"tags"}), ElementsAre("app=gitea", "nightly"));
  EXPECT_THAT(space.names({"tags", "nightly"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
}

TEST(Namespace, StripsTheLeadingPathInAppsOnly) {
  const auto one = snapshot({.tags = {"t"}});
  const Space space({one});
  const std::string time = "2026-09-01T03-00-05Z";
  EXPECT_TRUE(space.at({"apps", "gitea", time})->without_leading_path);
  EXPECT_FALSE(space.at({"ids", one->id.short_hex()})->without_leading_path);
  EXPECT_FALSE(space.at({"snapshots", time})->without_leading_path);
  EXPECT_FALSE(space.at({"hosts", "nas", time})->without_leading_path);
  EXPECT_FALSE(space.at({"tags", "t", time})->without_leading_path);
}

TEST(Namespace, HoldsTheSnapshotBehindEveryName) {
  const auto one = snapshot({});
  const Space space({one});
  const VirtualNode* node = space.at({"apps", "gitea", "2026-09-01T03-00-05Z"});
  EXPECT_EQ(node->kind, VirtualNode::Kind::kSnapshot);
  EXPECT_EQ(node->snapshot, one);
  EXPECT_EQ(node->path, "apps/gitea/2026-09-01T03-00-05Z");
  EXPECT_EQ(node->parent, space.at({"apps", "gitea"})->inode);
}

TEST(Namespace, ShowsATagThatWasGivenTwiceOnce) {
  const Space space({snapshot({.tags = {"t", "t"}})});
  EXPECT_THAT(space.names({"tags", "t"}), ElementsAre("2026-09-01T03-00-05Z", "latest"));
}

// --- latest -------------------------------------------------------------------------------------

TEST(Namespace, LatestLeadsIntoTheFutureOnlyWhereThereIsNothingElse) {
  const Snapshots all = {snapshot({.time = "2026-09-01T03:00:05Z", .tags = {"app=a"}}),
                         snapshot({.time = "2026-09-04T03:00:06Z", .tags = {"app=a"}}),
                         snapshot({.time = "2026-09-05T03:00:05Z", .tags = {"app=b"}})};
  const Space space(all, {}, "2026-09-03T03:00:05Z");
  EXPECT_EQ(space.link({"apps", "a", "latest"}), "2026-09-01T03-00-05Z") << "a day and a second";
  EXPECT_EQ(space.link({"apps", "b", "latest"}), "2026-09-05T03-00-05Z");
  EXPECT_EQ(space.link({"snapshots", "latest"}), "2026-09-01T03-00-05Z");
  EXPECT_EQ(Space(all, {}, "2026-09-03T03:00:06Z").link({"apps", "a", "latest"}),
            "2026-09-04T03-00-06Z");
}

TEST(Latest, PointsToTheNewestInEachView) {
  const Space space({snapshot({.time = "2026-09-03T03:00:05Z", .tags = {"app=a"}}),
                     snapshot({.time = "2026-09-02T03:00:05Z", .tags = {"app=b"}}),
                     snapshot({.time = "2026-09-01T03:00:05Z", .tags = {"app=b"}})});
  EXPECT_EQ(space.link({"snapshots", "latest"}), "2026-09-03T03-00-05Z");
  EXPECT_EQ(space.link({"apps", "a", "latest"}), "2026-09-03T03-00-05Z");
  EXPECT_EQ(space.link({"apps", "b", "latest"}), "2026-09-02T03-00-05Z");
  EXPECT_EQ(space.link({"tags", "app=b", "latest"}), "2026-09-02T03-00-05Z");
  EXPECT_EQ(space.link({"hosts", "nas", "latest"}), "2026-09-03T03-00-05Z");
}

TEST(Latest, OfAnAppIsABackupOfTheSameFolder) {
  const auto wiki = snapshot({.paths = {"/srv/wiki/data"}});
  const auto forge = snapshot({.time = "2026-09-02T03:00:05Z", .paths = {"/srv/forge/data"}});
  const auto other =
      snapshot({.time = "2026-09-03T03:00:05Z", .paths = {"/srv/wiki/data"}, .hostname = "web"});
  const Space space({wiki, forge, other});
  EXPECT_THAT(space.names({"apps"}),
              ElementsAre("data@nas+srv+forge", "data@nas+srv+wiki", "data@web+srv+wiki"));
  EXPECT_EQ(space.link({"apps", "data@nas+srv+wiki", "latest"}), "2026-09-01T03-00-05Z");
  EXPECT_EQ(space.link({"apps", "data@nas+srv+forge", "latest"}), "2026-09-02T03-00-05Z");
  EXPECT_EQ(space.link({"apps", "data@web+srv+wiki", "latest"}), "2026-09-03T03-00-05Z");
  // The host's own view holds both folders of it.
  EXPECT_EQ(space.link({"hosts", "nas", "latest"}), "2026-09-02T03-00-05Z");
}

TEST(Latest, KnowsTheInodeOfWhatItPointsTo) {
  const Space space({snapshot({}), snapshot({.id = "same second"})});
  EXPECT_EQ(space.at({"snapshots", "latest"})->target_inode,
            space.at({"snapshots", space.link({"snapshots", "latest"})})->inode);
}

TEST(Latest, IsNotAmongTheIds) { EXPECT_EQ(Space({snapshot({})}).at({"ids", "latest"}), nullptr); }

TEST(Latest, IsAnotherInodeOnceItPointsElsewhere) {
  const auto old = snapshot({});
  const Space before({old});
  const Space after({old, snapshot({.time = "2026-09-02T03:00:05Z"})});
  EXPECT_NE(before.at({"snapshots", "latest"})->inode, after.at({"snapshots", "latest"})->inode);
  EXPECT_EQ(before.at({"snapshots", "latest"})->inode,
            Space({old}).at({"snapshots", "latest"})->inode);
}

TEST(Latest, OfManySnapshotsLeavesNoStrayBehind) {
  Snapshots list;
  for (int i = 10; i < 30; ++i) {
    list.push_back(snapshot({.time = "2026-09-" + std::to_string(i) + "T00:00:00Z"}));
  }
  std::size_t links = 0;
  Space(list).space->for_each(
      [&](const VirtualNode& node) { links += node.kind == VirtualNode::Kind::kSymlink ? 1 : 0; });
  EXPECT_EQ(links, 3U);  // of the app, of the host, of snapshots/
}

TEST(DirectoryTimes, AreThoseOfTheNewestSnapshotInside) {
  const Space space({snapshot({.time = "2026-09-03T03:00:05Z", .tags = {"app=a"}}),
                     snapshot({.time = "2026-09-01T03:00:05Z", .tags = {"app=b"}})});
  EXPECT_EQ(space.at({"apps", "b"})->time, *parse_timestamp("2026-09-01T03:00:05Z"));
  EXPECT_EQ(space.at({"apps"})->time, *parse_timestamp("2026-09-03T03:00:05Z"));
  EXPECT_EQ(space.at({})->time, *parse_timestamp("2026-09-03T03:00:05Z"));
}

// --- filters ------------------------------------------------------------------------------------

class Filters : public ::testing::Test {
 protected:
  // How many of the three snapshots are shown.
  std::size_t shown() const { return Space(all_, options_).names({"ids"}).size(); }

  const Snapshots all_{snapshot({.tags = {"a", "b"}, .paths = {"/x", "/y"}, .hostname = "one"}),
                       snapshot({.tags = {"b", "c"}, .paths = {"/x"}, .hostname = "two"}),
                       snapshot({.tags = {}, .paths = {"/z"}, .hostname = "two"})};
  NamespaceOptions options_;
};

TEST_F(Filters, ThatAreNotGivenShowAll) { EXPECT_EQ(shown(), 3U); }

TEST_F(Filters, ByHostShowAnyOfTheHosts) {
  options_.filter.hosts = {"two"};
  EXPECT_EQ(shown(), 2U);
  options_.filter.hosts = {"two", "one"};
  EXPECT_EQ(shown(), 3U);
  options_.filter.hosts = {"three"};
  EXPECT_EQ(shown(), 0U);
}

TEST_F(Filters, ByTagShowSnapshotsWithAllTagsOfAnyList) {
  options_.filter.tag_lists = {{"b"}};
  EXPECT_EQ(shown(), 2U);
  options_.filter.tag_lists = {{"a", "b"}};
  EXPECT_EQ(shown(), 1U);
  options_.filter.tag_lists = {{"a", "b"}, {"c"}};
  EXPECT_EQ(shown(), 2U);
  options_.filter.tag_lists = {{"a", "c"}};
  EXPECT_EQ(shown(), 0U);
}

TEST_F(Filters, ByTheEmptyTagShowSnapshotsWithoutTags) {
  options_.filter.tag_lists = {{""}};
  EXPECT_EQ(shown(), 1U);
  options_.filter.tag_lists = {{""}, {"a"}};
  EXPECT_EQ(shown(), 2U);
}

TEST_F(Filters, ByPathShowSnapshotsWithAllOfThePaths) {
  options_.filter.paths = {"/x"};
  EXPECT_EQ(shown(), 2U);
  options_.filter.paths = {"/x", "/y"};
  EXPECT_EQ(shown(), 1U);
}

TEST_F(Filters, OfDifferentKindsHaveToAgree) {
  options_.filter.hosts = {"two"};
  options_.filter.paths = {"/x"};
  EXPECT_EQ(shown(), 1U);
}

TEST_F(Filters, LeaveNoEmptyDirectoriesOfHiddenSnapshots) {
  options_.filter.hosts = {"one"};
  const Space space(all_, options_);
  EXPECT_THAT(space.names({"hosts"}), ElementsAre("one"));
  EXPECT_THAT(space.names({"tags"}), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace restree
