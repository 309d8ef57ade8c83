// What becomes of files of which only a part can be read, and which of their bytes are said to be lost.
#include <string>

#include "tests/restorer/restore_failure_fixture.h"

namespace restree::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string zeros(std::size_t count) { return std::string(count, '\0'); }

class Salvage : public RestoreFailure {
 protected:
  Salvage() { options_.incomplete = Incomplete::kFillWithZeros; }
  std::string restored(const std::string& name) const { return read_file(target() / name); }
  // Of a blob that no index names.
  static BlobId unknown(const std::string& content) { return data_id(content); }
};

TEST_F(Salvage, WhatIsLostReadsAsZerosAndIsNamedByItsBytes) {
  const BlobId tree = tree_of({file_of("f", {"first", "second", "third"})});
  remove_pack_of("second");
  restore_tree(tree);
  EXPECT_EQ(restored("f"), "first" + zeros(6) + "third");
  EXPECT_THAT(listener_.losses, ElementsAre("/f of 16: 5-11"));
  EXPECT_THAT(listener_.errors,
              ElementsAre(HasSubstr("incomplete; what could not be read is zeros")));
}

TEST_F(Salvage, AtItsEndAndAtItsBeginAFileKeepsItsSize) {
  const BlobId tree = tree_of({file_of("end", {"kept", "gone"}), file_of("begin", {"gone", "kept"}),
                               file_of("two", {"gone", "lost", "kept"})});
  remove_pack_of("gone");
  remove_pack_of("lost");
  restore_tree(tree);
  EXPECT_EQ(restored("end"), "kept" + zeros(4));
  EXPECT_EQ(restored("begin"), zeros(4) + "kept");
  EXPECT_EQ(restored("two"), zeros(8) + "kept");
  EXPECT_THAT(listener_.losses,
              UnorderedElementsAre("/end of 8: 4-8", "/begin of 8: 0-4", "/two of 12: 0-8"));
}

TEST_F(Salvage, AFileOfWhichNothingIsLeftIsNotMade) {
  const BlobId tree = tree_of({file_of("f", {"gone", "lost"})});
  remove_pack_of("gone");
  remove_pack_of("lost");
  restore_tree(tree);
  EXPECT_THAT(names_in(target()), IsEmpty());
  EXPECT_THAT(listener_.losses, ElementsAre("/f of 8: 0-8"));
}

TEST_F(Salvage, IfFilesAreToBeWholeAPartIsNotMade) {
  options_.incomplete = Incomplete::kLeaveOut;
  const BlobId tree = tree_of({file_of("f", {"first", "second"}), file("whole", "content")});
  remove_pack_of("second");
  restore_tree(tree);
  EXPECT_THAT(names_in(target()), ElementsAre("whole"));
  EXPECT_THAT(listener_.losses, ElementsAre("/f of 11: 5-11"));
}

// restic's index has the sizes, so what lies behind a lost blob has its place only if that is known.
TEST_F(Salvage, TheSizeOfOneBlobThatIsInNoIndexFollowsFromTheFiles) {
  const BlobId tree =
      tree_of({file_node("inside", {data("first"), unknown("second"), data("third")}, 16),
               file_node("begin", {unknown("second"), data("third")}, 11),
               file_node("end", {data("first"), unknown("second")}, 11)});
  restore_tree(tree);
  EXPECT_EQ(restored("inside"), "first" + zeros(6) + "third");
  EXPECT_EQ(restored("begin"), zeros(6) + "third");
  EXPECT_EQ(restored("end"), "first" + zeros(6));
  EXPECT_THAT(listener_.losses,
              UnorderedElementsAre("/inside of 16: 5-11", "/begin of 11: 0-6", "/end of 11: 5-11"));
}

TEST_F(Salvage, BetweenTwoBlobsThatAreInNoIndexNothingHasAPlace) {
  const BlobId tree = tree_of({file_node(
      "f", {data("first"), unknown("2nd"), data("third"), unknown("4th"), data("fifth")}, 21)});
  restore_tree(tree);
  EXPECT_EQ(restored("f"), "first" + zeros(11) + "fifth");
  EXPECT_THAT(listener_.losses, ElementsAre("/f of 21: 5-16"));
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("no content from byte 5 to byte 16")));
}

// The node's size may be anything in a damaged or hostile tree.
TEST_F(Salvage, ASizeThatCannotBeRightPlacesNothing) {
  for (const std::uint64_t size : {std::uint64_t{6}, std::uint64_t{9}}) {
    listener_.errors.clear();
    const std::string name = "f" + std::to_string(size);
    restore_tree(
        tree_of({file_node(name, {data("first"), unknown("second"), data("third")}, size)}));
    EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("no content from byte 5 on")));
  }
}

TEST_F(Salvage, AnotherNameOfSuchAFileIsLinkedAndNamedToo) {
  const std::string linked = R"(,"links":2,"inode":7,"device_id":1)";
  const BlobId first = data("first");
  const BlobId second = data("second");
  const BlobId tree = tree_of(
      {file_node("a", {first, second}, 11, linked), file_node("b", {first, second}, 11, linked)});
  remove_pack_of("second");
  restore_tree(tree);
  EXPECT_EQ(restored("b"), "first" + zeros(6));
  EXPECT_EQ(lstat_of(target() / "a").st_ino, lstat_of(target() / "b").st_ino);
  EXPECT_THAT(listener_.losses, UnorderedElementsAre("/a of 11: 5-11", "/b of 11: 5-11"));
}

TEST_F(Salvage, OwnerAndModeAreTheSnapshotsAndTheTimeIsOlder) {
  const BlobId tree = tree_of({file_of("f", {"first", "second"})});
  remove_pack_of("second");
  restore_tree(tree);
  EXPECT_LT(lstat_of(target() / "f").st_mtim.tv_sec, kSnapshotTime);
}

TEST_F(Salvage, SpoiledBlobsOfALargeFileAreAllThatIsLost) {
  std::vector<std::string> contents;
  std::string whole;
  for (int i = 0; i < 100; ++i) {
    contents.push_back("content " + std::to_string(1000 + i));
    whole += contents.back();
  }
  const BlobId tree = tree_of({file_of("f", contents)});
  for (const std::size_t i : {3U, 4U, 50U, 99U}) {
    remove_pack_of(contents[i]);
    whole.replace(i * 12, 12, zeros(12));
  }
  options_.threads = 4;
  restore_tree(tree);
  EXPECT_EQ(restored("f") == whole, true);
  EXPECT_THAT(listener_.losses, ElementsAre("/f of 1200: 36-60 600-612 1188-1200"));
}

}  // namespace
}  // namespace restree::testing
