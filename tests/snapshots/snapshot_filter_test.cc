#include "repo/snapshots/snapshot_filter.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::value_of;

Snapshot snapshot(const std::string& host, std::vector<std::string> paths,
                  std::vector<std::string> tags = {}) {
  Snapshot made;
  made.hostname = host;
  made.paths = std::move(paths);
  made.tags = std::move(tags);
  return made;
}

TEST(SnapshotFilter, AnEmptyOneLetsAllPass) {
  EXPECT_TRUE(SnapshotFilter{}.empty());
  EXPECT_TRUE(SnapshotFilter{}.matches(snapshot("a", {"/x"}, {"t"})));
}

TEST(SnapshotFilter, OneOfTheHostsIsEnough) {
  const SnapshotFilter filter{.hosts = {"a", "b"}};
  EXPECT_TRUE(filter.matches(snapshot("b", {})));
  EXPECT_FALSE(filter.matches(snapshot("c", {})));
}

TEST(SnapshotFilter, AllPathsMustBeThereAndMoreMayBe) {
  const SnapshotFilter filter{.paths = {"/x", "/y"}};
  EXPECT_TRUE(filter.matches(snapshot("a", {"/y", "/z", "/x"})));
  EXPECT_FALSE(filter.matches(snapshot("a", {"/x"})));
}

TEST(SnapshotFilter, OneListMustHaveAllItsTagsThere) {
  const SnapshotFilter filter{.tag_lists = {{"a", "b"}, {"c"}}};
  EXPECT_TRUE(filter.matches(snapshot("h", {}, {"b", "a"})));
  EXPECT_TRUE(filter.matches(snapshot("h", {}, {"c"})));
  EXPECT_FALSE(filter.matches(snapshot("h", {}, {"a"})));
}

TEST(SnapshotFilter, AnEmptyTagMeansUntagged) {
  const SnapshotFilter filter{.tag_lists = {split_tags("")}};
  EXPECT_TRUE(filter.matches(snapshot("h", {})));
  EXPECT_FALSE(filter.matches(snapshot("h", {}, {"a"})));
}

TEST(SnapshotFilter, DescribesItselfAsResticDoes) {
  const SnapshotFilter filter{
      .hosts = {"h", "i"}, .tag_lists = {{"a", "b"}, {"c"}}, .paths = {"/x", "/y"}};
  EXPECT_EQ(filter.description(), "Paths:[/x /y] Tags:[[a, b] [c]] Hosts:[h i]");
}

TEST(SplitTags, TrimsEachTag) {
  EXPECT_THAT(split_tags(" a=1 ,b,, c\t"), ElementsAre("a=1", "b", "", "c"));
}

TEST(SnapshotFilter, SnapshotsHaveNoEmptyTags) {
  EXPECT_THAT(tags_of({""}), IsEmpty());
  EXPECT_THAT(tags_of({"a,,b", " ", "c"}), ElementsAre("a", "b", "c"));
}

TEST(GroupBy, TakesResticsWordsOnly) {
  const GroupBy by = value_of(GroupBy::parse("host,tag"));
  EXPECT_TRUE(by.host && by.tags && !by.paths);
  EXPECT_TRUE(value_of(GroupBy::parse("paths")).paths);
  EXPECT_TRUE(value_of(GroupBy::parse("")).none());
  EXPECT_THAT(GroupBy::parse("host,day"), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(GroupBy::parse("app"), FailsWith(ErrorKind::kInvalid));
}

TEST(GroupBy, TakesAppWhereThatIsAsked) {
  const GroupBy by = value_of(GroupBy::parse_with_app("app,host"));
  EXPECT_TRUE(by.app && by.host && !by.paths);
  EXPECT_FALSE(value_of(GroupBy::parse_with_app("paths,tags")).app);
  EXPECT_THAT(GroupBy::parse_with_app("app,day"), FailsWith(ErrorKind::kInvalid));
}

TEST(GroupSnapshots, ListsAreTheSameWhateverTheirOrder) {
  const auto groups = group_snapshots(
      {snapshot("b", {"/y", "/x"}), snapshot("a", {"/x"}), snapshot("b", {"/x", "/y"})},
      {.host = true, .paths = true});
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_EQ(groups[0].hostname, "a");
  EXPECT_THAT(groups[1].paths, ElementsAre("/x", "/y"));
  EXPECT_THAT(groups[1].snapshots, SizeIs(2));
}

TEST(GroupSnapshots, ByAppThoseOfOneThingAreTogetherWhateverTheirHostsAndPaths) {
  const auto groups =
      group_snapshots({snapshot("a", {"/tmp/1"}, {"app=wiki"}), snapshot("a", {"/srv/forge"}),
                       snapshot("b", {"/tmp/2"}, {"app=wiki", "nightly"})},
                      value_of(GroupBy::parse_with_app("app")));
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_EQ(groups[0].app, "forge");
  EXPECT_EQ(groups[1].app, "wiki");
  EXPECT_EQ(groups[1].hostname, "");
  EXPECT_THAT(groups[1].snapshots, SizeIs(2));
}

TEST(GroupSnapshots, ByNothingThereIsOneGroup) {
  const auto groups = group_snapshots({snapshot("a", {}), snapshot("b", {})}, {});
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(groups[0].hostname, "");
}

}  // namespace
}  // namespace restree
