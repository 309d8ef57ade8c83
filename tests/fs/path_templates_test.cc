#include "fs/path_templates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/fs/built_namespace.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::snapshot;
using testing::Space;
using testing::value_of;

constexpr const char* kTime = "2026-09-01T03-00-05Z";

std::vector<PathTemplate::Path> paths(const std::string& text, const testing::Fields& fields = {}) {
  Snapshot shown = *snapshot(fields);
  shown.username = "ann";
  return value_of(PathTemplate::parse(text)).paths_of(shown, "now");
}

// --- one template -------------------------------------------------------------------------------

TEST(PathTemplate, PutsTheSnapshotsValuesInThePlaceOfWords) {
  const auto one = snapshot({});
  EXPECT_THAT(paths("a/%h-%u/%T"), ElementsAre(ElementsAre("a", "nas-ann", "now")));
  EXPECT_THAT(paths("%i/%I"), ElementsAre(ElementsAre(one->id.short_hex(), one->id.hex())));
  EXPECT_THAT(paths("%x%%y"), ElementsAre(ElementsAre("x%25y")));
}

TEST(PathTemplate, HasAPathForEachTag) {
  EXPECT_THAT(paths("%t/%T", {.tags = {"b", "a", "b"}}),
              ElementsAre(ElementsAre("a", "now"), ElementsAre("b", "now")));
  EXPECT_THAT(paths("%t/%T"), IsEmpty());
  EXPECT_THAT(paths("%t/%t", {.tags = {"a", "b"}}),
              ElementsAre(ElementsAre("a", "a"), ElementsAre("a", "b"), ElementsAre("b", "a"),
                          ElementsAre("b", "b")));
}

TEST(PathTemplate, HasABoundForCombinationsOfTagsButNotForTags) {
  std::vector<std::string> tags;
  for (int i = 0; i < 5000; ++i) tags.push_back(std::to_string(i));
  EXPECT_THAT(paths("%t", {.tags = tags}), SizeIs(tags.size()));
  tags.resize(100);
  EXPECT_THAT(paths("%t/%t/%t/%t/%t/%t/%t/%t/%t/%t", {.tags = tags}),
              SizeIs(PathTemplate::kMostPaths));
}

TEST(PathTemplate, KeepsHostileValuesInTheirEntry) {
  EXPECT_THAT(paths("hosts/%h/%T", {.hostname = "../../etc"}),
              ElementsAre(ElementsAre("hosts", "..%2F..%2Fetc", "now")));
  EXPECT_THAT(paths("%h/%t", {.tags = {"."}, .hostname = ".."}),
              ElementsAre(ElementsAre("%2E%2E", "%2E")));
  EXPECT_THAT(paths(".%h", {.hostname = "."}), ElementsAre(ElementsAre("%2E%2E")));
  EXPECT_THAT(paths("%h/%t", {.tags = {"a\n\x1b[31m"}, .hostname = ""}),
              ElementsAre(ElementsAre("%", "a%0A%1B[31m")));
  for (const auto& path : paths("%h-%h", {.hostname = std::string(400, 'x')})) {
    EXPECT_LE(path.front().size(), 255U);
  }
}

TEST(PathTemplate, DropsWhatNamesNoFolder) {
  EXPECT_THAT(paths("a//./b/%T"), ElementsAre(ElementsAre("a", "b", "now")));
}

TEST(PathTemplate, KnowsItsFixedFolders) {
  const auto folders = [](const char* text) {
    return value_of(PathTemplate::parse(text)).fixed_folders();
  };
  EXPECT_THAT(folders("a/b%%/c%h/d/%T"), ElementsAre("a", "b%25"));
  EXPECT_THAT(folders("%h/a/%T"), IsEmpty());
  EXPECT_THAT(folders("a"), IsEmpty());
}

class BadTemplate : public ::testing::TestWithParam<const char*> {};

TEST_P(BadTemplate, IsRefused) {
  EXPECT_THAT(PathTemplate::parse(GetParam()), FailsWith(ErrorKind::kInvalid));
}

INSTANTIATE_TEST_SUITE_P(Texts, BadTemplate,
                         ::testing::Values("", "/", "/a", "a/", "..", "a/../%i", ".", "a/%"));

// --- the namespace that they make ---------------------------------------------------------------

NamespaceOptions templates(const std::vector<std::string>& texts) {
  NamespaceOptions options;
  for (const auto& text : texts) {
    options.path_templates.push_back(value_of(PathTemplate::parse(text)));
  }
  return options;
}

TEST(TemplateViews, ReplaceAllOthersButApps) {
  const Space space({snapshot({})}, templates({"by/host/%h/%T", "%i"}));
  EXPECT_THAT(space.names({}), ElementsAre(snapshot({})->id.short_hex(), "apps", "by"));
  EXPECT_THAT(space.names({"by", "host", "nas"}), ElementsAre(kTime, "latest"));
  EXPECT_THAT(space.names({"apps", "gitea"}), ElementsAre(kTime, "latest"));
  EXPECT_FALSE(space.at({"by", "host", "nas", kTime})->without_leading_path);
}

TEST(TemplateViews, HaveTheNamesAndInodesOfTheDefaultOnes) {
  const testing::Snapshots list{snapshot({.tags = {"a", "b"}}), snapshot({.id = "x"})};
  const Space space(list),
      other(list, templates({"tags/%t/%T", "ids/%i", "hosts/%h/%T", "snapshots/%T"}));
  space.space->for_each([&](const VirtualNode& node) {
    const VirtualNode* same = other.space->find(node.inode);
    ASSERT_NE(same, nullptr) << node.path;
    EXPECT_EQ(same->path, node.path);
    EXPECT_EQ(same->children, node.children);
  });
}

TEST(TemplateViews, ReplaceAppsWhereOneBeginsWithIt) {
  const Space space({snapshot({})}, templates({"apps/%h/%T"}));
  EXPECT_THAT(space.names({"apps"}), ElementsAre("nas"));
}

TEST(TemplateViews, LeaveTheMountsOwnNamesAlone) {
  const std::vector<std::string> tags{"app=gitea"};
  const Space space({snapshot({.tags = tags, .hostname = "apps"}),
                     snapshot({.tags = tags, .hostname = ".restree"})},
                    templates({"%h/%T", "%h"}));
  EXPECT_THAT(space.names({}), ElementsAre("%.restree", "%.restree-1", "%apps", "%apps-1", "apps"));
  EXPECT_THAT(space.names({"%apps"}), ElementsAre(kTime, "latest"));
  EXPECT_THAT(space.names({"apps"}), ElementsAre("gitea"));
}

TEST(TemplateViews, HaveTheirFixedFoldersWithoutSnapshots) {
  const Space space({}, templates({"a/b/%h/%T"}));
  EXPECT_THAT(space.names({}), ElementsAre("a", "apps"));
  EXPECT_THAT(space.names({"a"}), ElementsAre("b"));
}

TEST(TemplateViews, HaveLatestBesideNamesThatEndWithTheTime) {
  const testing::Snapshots list{snapshot({}), snapshot({.time = "2026-09-02T03:00:05Z"})};
  const Space space(list, templates({"t/%h-%T", "i/%i", "b/%T-%h"}));
  EXPECT_EQ(space.link({"t", "latest"}), "nas-2026-09-02T03-00-05Z");
  EXPECT_EQ(space.at({"i", "latest"}), nullptr);
  EXPECT_EQ(space.at({"b", "latest"}), nullptr);
}

// A snapshot that wants the name of a folder or of the link hides neither.
TEST(TemplateViews, ShowEverythingWhereNamesMeet) {
  const testing::Snapshots list{snapshot({}), snapshot({.hostname = "latest"})};
  const Space space(list, templates({"h/%h", "h/%h/%T"}));
  EXPECT_THAT(space.names({"h"}), ElementsAre("latest", "latest-1", "nas", "nas-1"));
  EXPECT_THAT(space.names({"h", "latest"}), ElementsAre(kTime, "latest"));
  EXPECT_EQ(space.at({"h", "nas-1"})->snapshot, list[0]);

  const Space with_link(list, templates({"%h", "%T"}));
  EXPECT_EQ(with_link.at({"latest-1"})->snapshot, list[1]);
  EXPECT_EQ(with_link.at({"latest"})->kind, VirtualNode::Kind::kSymlink);

  const Space with_folder(list, templates({"%h/%i", "%T"}));
  EXPECT_EQ(with_folder.at({"latest"})->kind, VirtualNode::Kind::kDirectory);
  EXPECT_THAT(with_folder.names({"latest"}), ElementsAre(list[1]->id.short_hex()));
}

TEST(TemplateViews, NumberNamesThatAreEqual) {
  const testing::Snapshots list{snapshot({}), snapshot({.time = "2026-09-02T03:00:05Z"})};
  EXPECT_THAT(Space(list, templates({"a/all"})).names({"a"}), ElementsAre("all", "all-1"));
  EXPECT_THAT(Space({snapshot({})}, templates({"a/%h", "a/%h"})).names({"a"}),
              ElementsAre("nas", "nas-1"));
}

TEST(TemplateViews, KeepTheInodesOfSnapshotsWhenOthersCome) {
  const testing::Snapshots list{snapshot({}), snapshot({.id = "later"})};
  const NamespaceOptions options = templates({"%h/%T", "%u/%i", "%h/%i"});
  const Space space({list[0]}, options), later(list, options);
  space.space->for_each([&](const VirtualNode& node) {
    if (node.kind == VirtualNode::Kind::kSymlink) return;
    ASSERT_NE(later.space->find(node.inode), nullptr) << node.path;
    EXPECT_EQ(later.space->find(node.inode)->snapshot, node.snapshot);
  });
}

}  // namespace
}  // namespace restree
