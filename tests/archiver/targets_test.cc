#include "repo/archiver/targets.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::TempDir;
using testing::value_of;

// Folders that exist only in this test, by the path with which they are listed.
class FakeFolders final : public TargetLister {
 public:
  FakeFolders(std::map<std::string, std::vector<std::string>> folders)
      : folders_(std::move(folders)) {}
  Result<std::vector<std::string>> names_in(const std::string& path) const override {
    const auto folder = folders_.find(path);
    if (folder == folders_.end()) return Error(ErrorKind::kNotFound, path);
    return folder->second;
  }

 private:
  std::map<std::string, std::vector<std::string>> folders_;
};

// A line for each node, with its path in the tree. "= source": a target, saved as a whole; "?": it
// may be excluded; "< source": a level above targets, with the attributes of that folder.
void describe(const TargetNode& node, const std::string& path, std::vector<std::string>& lines) {
  for (const TargetNode& child : node.children) {
    const std::string below = path + "/" + child.name;
    lines.push_back(below + (child.is_target ? " = " : " < ") + child.source_path +
                    (child.is_explicit ? "" : " ?"));
    describe(child, below, lines);
  }
}

std::vector<std::string> plan(const std::vector<std::string>& targets) {
  const FakeFolders folders({{".", {"p", "z"}},
                             {"..", {"b", "w"}},
                             {"/", {"a", "w"}},
                             {"p", {"q", "r"}},
                             {"/w/p", {"q", "r"}},
                             {"/w/p/q", {"x", "y"}}});
  std::vector<std::string> lines;
  describe(value_of(plan_targets(targets, "/w", folders)), "", lines);
  return lines;
}

TEST(Targets, HaveTheLevelsOfTheirPathsAsGiven) {
  EXPECT_THAT(plan({"/a/b"}), ElementsAre("/a < /a", "/a/b = /a/b"));
  EXPECT_THAT(plan({"p"}), ElementsAre("/p = p"));
  EXPECT_THAT(plan({"p/q/"}), ElementsAre("/p < p", "/p/q = p/q"));
}

TEST(Targets, LoseTheDotsInFrontOfThem) {
  EXPECT_THAT(plan({"p/q", "../b/x"}),
              ElementsAre("/b < ../b", "/b/x = ../b/x", "/p < p", "/p/q = p/q"));
  EXPECT_THAT(plan({"./p/../z"}), ElementsAre("/z = z"));
  EXPECT_THAT(plan({"/../a"}), ElementsAre("/a = /a"));
}

TEST(Targets, OfDotsAloneAreTheEntriesOfTheFolder) {
  EXPECT_THAT(plan({"."}), ElementsAre("/p = p ?", "/z = z ?"));
  EXPECT_THAT(plan({"p/.."}), ElementsAre("/p = p ?", "/z = z ?"));
  EXPECT_THAT(plan({".."}), ElementsAre("/b = ../b ?", "/w = ../w ?"));
  EXPECT_THAT(plan({"/"}), ElementsAre("/a = /a ?", "/w = /w ?"));
}

TEST(Targets, OfOneNameFromTwoFoldersGetNumbers) {
  EXPECT_THAT(plan({"p", "../p"}), ElementsAre("/p = p", "/p-1 = ../p"));
  EXPECT_THAT(plan({"../p/q", "p/q", "/p/q", "../p/x"}),
              ElementsAre("/p < ../p", "/p/q = ../p/q", "/p/x = ../p/x", "/p-1 < p", "/p-1/q = p/q",
                          "/p-2 < /p", "/p-2/q = /p/q"));
}

TEST(Targets, FromTheRootAndFromHereAreDifferentOnes) {
  EXPECT_THAT(plan({"/w/p", "./p"}), ElementsAre("/p = p", "/w < /w", "/w/p = /w/p"));
}

TEST(Targets, NamedTwiceAreSavedOnce) {
  EXPECT_THAT(plan({"p", "./p/", "p"}), ElementsAre("/p = p"));
}

TEST(Targets, BelowAnotherOneAreMergedIntoIt) {
  EXPECT_THAT(plan({"p", "p/q"}), ElementsAre("/p < p", "/p/q = p/q", "/p/r = p/r ?"));
  EXPECT_THAT(plan({"p/q", "p"}), ElementsAre("/p < p", "/p/q = p/q", "/p/r = p/r ?"));
  EXPECT_THAT(plan({"/w/p/q/x", "/w/p"}),
              ElementsAre("/w < /w", "/w/p < /w/p", "/w/p/q < /w/p/q", "/w/p/q/x = /w/p/q/x",
                          "/w/p/q/y = /w/p/q/y ?", "/w/p/r = /w/p/r ?"));
}

TEST(Targets, ThatCannotBeListedAreAnError) {
  EXPECT_THAT(plan_targets({"../.."}, "/w", FakeFolders({})), FailsWith(ErrorKind::kNotFound));
}

TEST(Targets, KnowTheirAbsolutePaths) {
  const TargetNode root = value_of(plan_targets({"../b/x"}, "/w", FakeFolders({})));
  EXPECT_EQ(root.children[0].absolute_path, "/b");
  EXPECT_EQ(root.children[0].children[0].absolute_path, "/b/x");
}

TEST(SnapshotPaths, AreAbsoluteInTheOrderOfTheTargets) {
  EXPECT_THAT(snapshot_paths({"/w/p/", "./p", ".", "../b"}, "/w"),
              ElementsAre("/w/p", "/w/p", "/w", "/b"));
}

TEST(ExistingTargets, AreThoseThatAreThere) {
  const TempDir folder;
  const std::string here = folder.path().string();
  const auto existing = existing_targets({here + "/no", here, here + "/nor"});
  EXPECT_THAT(existing.targets, ElementsAre(here));
  ASSERT_EQ(existing.missing.size(), 2u);
  EXPECT_EQ(existing.missing[0].message(), here + "/no does not exist, skipping");
  EXPECT_THAT(existing_targets({here + "/no"}).targets, IsEmpty());
}

}  // namespace
}  // namespace restree
