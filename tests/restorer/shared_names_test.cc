// A target that takes small and capital letters in names for the same.
#include "repo/restorer/shared_names.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/restorer/restore_fixture.h"
#include "tests/support/folding.h"
#include "tests/support/repository_builder.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class FoldingTarget : public RestoreFixture {
 protected:
  static std::string link(const std::string& name, const std::string& target) {
    return R"({"name":")" + name +
           R"(","type":"symlink","mode":134218239,)"
           R"("mtime":"2020-01-01T00:00:00Z","atime":"2020-01-01T00:00:00Z",)"
           R"("ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,"linktarget":")" +
           target + R"(","content":null})";
  }
  // Restores to a target that tells no case apart.
  void restore_folded(const std::vector<std::string>& nodes) {
    const BlobId tree = tree_of(nodes);
    const FoldedCase folded;
    restore_tree(tree);
  }
  std::vector<std::string> entries(const fs::path& folder) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
      names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
  }
  static auto names_both(const std::string& path, const std::string& other) {
    return AllOf(StartsWith(path + ": "), HasSubstr("\"" + other + "\""));
  }
};

TEST_F(FoldingTarget, OfTwoFilesOneIsRestoredAndTheOtherNamed) {
  restore_folded({file("README", "of capitals"), file("other", "rest"), file("readme", "small")});
  ASSERT_THAT(listener_.errors.size(), 1U);
  const bool capitals = entries(target()) == std::vector<std::string>{"README", "other"};
  EXPECT_THAT(listener_.errors[0],
              capitals ? names_both("/readme", "README") : names_both("/README", "readme"));
  EXPECT_EQ(read_file(target() / (capitals ? "README" : "readme")),
            capitals ? "of capitals" : "small");
  EXPECT_EQ(read_file(target() / "other"), "rest");
}

TEST_F(FoldingTarget, TheSameInAFolderThatTheRestoreHasMade) {
  restore_folded({folder("new", {file("A", "1"), file("a", "2"), file("b", "3")})});
  EXPECT_EQ(listener_.errors.size(), 1U);
  EXPECT_EQ(entries(target() / "new").size(), 2U);
}

TEST_F(FoldingTarget, TheEntryStaysThatOfItsNameWhenRestoredAgain) {
  fs::create_directories(target());
  write_file(target() / "a", "an older content");
  restore_folded({file("A", "1"), file("a", "2")});
  EXPECT_THAT(listener_.errors, ElementsAre(names_both("/A", "a")));
  EXPECT_EQ(read_file(target() / "a"), "2");
}

TEST_F(FoldingTarget, OfTwoNamesThatBothDifferFromTheEntryTheFirstHasIt) {
  fs::create_directories(target());
  write_file(target() / "aa", "an older content");
  restore_folded({file("AA", "1"), file("Aa", "2")});
  EXPECT_THAT(listener_.errors, ElementsAre(names_both("/Aa", "AA")));
  EXPECT_EQ(read_file(target() / "aa"), "1");
}

TEST_F(FoldingTarget, AnEntryThatIsNotOfTheSnapshotGivesWayAsEver) {
  fs::create_directories(target());
  write_file(target() / "readme", "somebody's");
  restore_folded({file("README", "the snapshot's")});
  EXPECT_THAT(listener_.errors, IsEmpty());
  EXPECT_EQ(read_file(target() / "readme"), "the snapshot's");
}

TEST_F(FoldingTarget, ANameThatIsNotRestoredIsNotInTheWay) {
  fs::create_directories(target());
  write_file(target() / "a", "an older content");
  options_.select = [](const std::string& path, bool) -> SelectVerdict {
    return {.selected = path == "/A", .children = false};
  };
  restore_folded({file("A", "1"), file("a", "2")});
  EXPECT_THAT(listener_.errors, IsEmpty());
  EXPECT_EQ(read_file(target() / "a"), "1");
}

TEST_F(FoldingTarget, TwoFoldersAreNotMerged) {
  restore_folded(
      {folder("Dir", {file("f", "1")}), folder("dir", {file("f", "2"), file("g", "3")})});
  EXPECT_THAT(listener_.errors, ElementsAre(names_both("/dir", "Dir")));
  EXPECT_EQ(read_file(target() / "Dir/f"), "1");
  EXPECT_THAT(entries(target() / "Dir"), ElementsAre("f"));
}

TEST_F(FoldingTarget, AFolderAndALinkOfItsNameStayApart) {
  restore_folded({folder("Dir", {file("f", "1")}), file("a", "2"), link("dir", "somewhere"),
                  link("A", "elsewhere")});
  EXPECT_THAT(listener_.errors,
              ::testing::UnorderedElementsAre(names_both("/dir", "Dir"), names_both("/A", "a")));
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(target() / "Dir")));
  EXPECT_EQ(read_file(target() / "a"), "2");
}

TEST_F(FoldingTarget, WhereNamesAreToldApartAllAreRestored) {
  restore({file("A", "1"), file("a", "2"), folder("D", {}), folder("d", {})});
  EXPECT_THAT(listener_.errors, IsEmpty());
  EXPECT_THAT(entries(target()), ElementsAre("A", "D", "a", "d"));
  restore({file("A", "1"), file("a", "2"), folder("D", {}), folder("d", {})});
  EXPECT_THAT(listener_.errors, IsEmpty());
}

}  // namespace
}  // namespace restree::testing
