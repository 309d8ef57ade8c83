// Restores of files with several names, of which some cannot be restored.
#include "tests/restorer/restore_failure_fixture.h"

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RestoreOfLinks : public RestoreFailure {
 protected:
  // One name of a file with several.
  std::string linked(const std::string& name, const std::string& content, int inode) {
    std::string node = file(name, content);
    node.replace(node.find("\"links\":1"), 9, "\"links\":2");
    return node.replace(node.find("\"inode\":7"), 9, "\"inode\":" + std::to_string(inode));
  }
  bool are_one(const std::string& a, const std::string& b) const {
    return lstat_of(target() / a).st_ino == lstat_of(target() / b).st_ino;
  }
};

TEST_F(RestoreOfLinks, AnOtherNameOfAFileThatFailedIsNamedAndStaysAsItWas) {
  const BlobId tree =
      tree_of({linked("a", "gone", 5), linked("b", "gone", 5), linked("c", "gone", 5)});
  put("b", "mine");
  remove_pack_of("gone");
  restore_tree(tree);
  EXPECT_THAT(names_in(target()), ElementsAre("b"));
  expect_untouched("b", "mine");
  EXPECT_THAT(listener_.errors,
              ElementsAre(StartsWith("/a: not restored"),
                          AllOf(StartsWith("/b: not restored"), HasSubstr("/a")),
                          AllOf(StartsWith("/c: not restored"), HasSubstr("/a"))));
}

TEST_F(RestoreOfLinks, NothingIsLinkedToAFileThatIsIncomplete) {
  const auto name = [&](const std::string& as) {
    std::string node = file_of(as, {"one", long_});
    return node.replace(node.find("\"links\":1"), 9, "\"links\":2");
  };
  const BlobId tree = tree_of({name("a"), name("b")});
  spoil_pack_of(long_);
  restore_tree(tree);
  EXPECT_THAT(names_in(target()), ElementsAre("a"));
  EXPECT_THAT(listener_.errors, ElementsAre(StartsWith("/a: incomplete"), StartsWith("/b: ")));
}

TEST_F(RestoreOfLinks, OneNumberWithTwoContentsIsTwoFiles) {
  restore({linked("a", "the first", 5), linked("a2", "the first", 5),
           linked("b", "and quite another", 5), linked("b2", "and quite another", 5),
           linked("c", "the third", 5)});
  EXPECT_EQ(read_file(target() / "a"), "the first");
  EXPECT_EQ(read_file(target() / "b"), "and quite another");
  EXPECT_EQ(read_file(target() / "c"), "the third");
  EXPECT_TRUE(are_one("a", "a2"));
  EXPECT_TRUE(are_one("b", "b2"));
  EXPECT_FALSE(are_one("a", "c"));
}

TEST_F(RestoreOfLinks, WithoutANumberEachIsAFileOfItsOwn) {
  restore({linked("a", "same", 0), linked("b", "same", 0)});
  EXPECT_FALSE(are_one("a", "b"));
}

TEST_F(RestoreOfLinks, AFirstNameThatStaysAsItIsIsNotLinkedTo) {
  const BlobId tree = tree_of({linked("a", "of the snapshot", 5), linked("b", "of the snapshot", 5),
                               linked("c", "of the snapshot", 5)});
  put("a", "mine");
  options_.overwrite = Overwrite::kNever;
  restore_tree(tree);
  ASSERT_OK(status_);
  expect_untouched("a", "mine");
  EXPECT_EQ(read_file(target() / "b"), "of the snapshot");
  EXPECT_TRUE(are_one("b", "c"));
  EXPECT_EQ(figures().items_restored, figures().items_total);
}

}  // namespace
}  // namespace restree::testing
