// Restores of files whose content cannot be loaded: the target afterwards, and the reports.
#include "tests/restorer/restore_failure_fixture.h"

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// --- A pack is missing

TEST_F(RestoreFailure, AnExistingFileStaysAsItWasAndIsNamed) {
  const BlobId tree = tree_of({file("longer", "of the snapshot"), file("shorter", "snapshot's")});
  put("longer", "mine, and longer than the snapshot's");
  put("shorter", "mine");
  remove_pack_of("of the snapshot");
  remove_pack_of("snapshot's");
  restore_tree(tree);
  ASSERT_OK(status_);
  expect_untouched("longer", "mine, and longer than the snapshot's");
  expect_untouched("shorter", "mine");
  EXPECT_THAT(
      listener_.errors,
      UnorderedElementsAre(AllOf(StartsWith("/longer: not restored; the existing one is left"),
                                 HasSubstr(data_id("of the snapshot").hex())),
                           StartsWith("/shorter: not restored; the existing one is left")));
  EXPECT_EQ(figures().errors, 2U);
  EXPECT_EQ(figures().items_restored, 0U);
  EXPECT_EQ(figures().bytes_restored, 0U);
}

TEST_F(RestoreFailure, AnExistingFileStaysAsItWasIfABlobIsInNoIndex) {
  const BlobId unknown = data_id("in no index");
  const BlobId tree = tree_of({file_node("last", {data("known"), unknown}, 16),
                               file_node("inside", {unknown, data("known too")}, 20)});
  put("last", "mine");
  put("inside", "mine as well");
  restore_tree(tree);
  expect_untouched("last", "mine");
  expect_untouched("inside", "mine as well");
  EXPECT_THAT(
      listener_.errors,
      UnorderedElementsAre(AllOf(StartsWith("/last: not restored"), HasSubstr(unknown.hex())),
                           AllOf(StartsWith("/inside: not restored"), HasSubstr(unknown.hex()))));
}

TEST_F(RestoreFailure, AFileOfWhichNothingCanBeReadIsNotMade) {
  const BlobId tree = tree_of({file("a", "gone"), folder("f", {file_of("b", {"lost", "too"})})});
  for (const char* content : {"gone", "lost", "too"}) remove_pack_of(content);
  restore_tree(tree);
  EXPECT_THAT(names_in(target()), ElementsAre("f"));
  EXPECT_THAT(names_in(target() / "f"), IsEmpty());
  EXPECT_THAT(listener_.errors, UnorderedElementsAre(StartsWith("/a: not restored: "),
                                                     StartsWith("/f/b: not restored: ")));
}

TEST_F(RestoreFailure, NothingIsWrittenOverAFileUnlessAllOfItsPacksAreThere) {
  const BlobId tree = tree_of({file_of("f", {"first", "second", "third"})});
  put("f", "mine, and no blob of it is right");
  remove_pack_of("third");
  restore_tree(tree);
  expect_untouched("f", "mine, and no blob of it is right");
  EXPECT_THAT(listener_.errors, SizeIs(1));
}

TEST_F(RestoreFailure, ATruncatedPackIsTreatedAsMissing) {
  const BlobId tree = tree_of({file_of("f", {"first", long_})});
  put("f", "mine");
  repository_.truncate(repository_.builder().pack_names_of(data_id(long_)).front());
  restore_tree(tree);
  expect_untouched("f", "mine");
}

TEST_F(RestoreFailure, ABlobThatLiesInAnotherPackAsWellIsRestored) {
  const BlobId id = data("twice");
  const FileName first = repository_.builder().pack_names_of(id).front();
  repository_.builder().add_data("twice");
  const BlobId tree = tree_of({file("f", "twice")});
  put("f", "mine");
  const auto packs = repository_.builder().pack_names_of(id);
  ASSERT_GT(packs.size(), 1U);
  repository_.remove(first);
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "f"), "twice");
  EXPECT_THAT(listener_.errors, IsEmpty());
}

// --- An index file that somebody has added gives a blob a wrong length

class RestoreByAWrongSize : public RestoreFailure {
 protected:
  // Of a pack that comes before all others, and is not there.
  void add_lie(const std::string& content) {
    const std::string id = data_id(content).hex();
    repository_.builder().add_sealed(
        FileType::kIndex, R"({"packs":[{"id":")" + std::string(64, '0') + R"(","blobs":[{"id":")" +
                              id + R"(","type":"data","offset":0,"length":41}]}]})");
  }
};

TEST_F(RestoreByAWrongSize, TheHeadersOfPacksSettleIt) {
  const BlobId tree = tree_of({file_of("f", {"first", "second"})});
  add_lie("first");
  reads_headers_ = true;
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "f"), "firstsecond");
  EXPECT_THAT(listener_.errors, IsEmpty());
}

TEST_F(RestoreByAWrongSize, WithoutHeadersTheFileDoesNotCountAsRestored) {
  const BlobId tree = tree_of({file_of("f", {"first", "second"})});
  put("f", "mine");
  add_lie("first");
  restore_tree(tree);
  EXPECT_THAT(listener_.errors, ElementsAre(AllOf(StartsWith("/f: "), HasSubstr("has 5 bytes"))));
  EXPECT_EQ(figures().items_restored, 0U);
}

TEST_F(RestoreFailure, AFolderALinkAndAFileOfTwoNamesInTheWayStay) {
  const BlobId tree =
      tree_of({file("folder", "gone"), file("link", "gone"), file("one of two", "gone")});
  fs::create_directories(target() / "folder/below");
  fs::create_symlink("elsewhere", target() / "link");
  put("one of two", "mine");
  fs::create_hard_link(target() / "one of two", dir_.path() / "the other");
  remove_pack_of("gone");
  options_.remove_unexpected = true;
  restore_tree(tree);
  EXPECT_TRUE(fs::is_directory(target() / "folder/below"));
  EXPECT_EQ(fs::read_symlink(target() / "link"), "elsewhere");
  expect_untouched("one of two", "mine");
  EXPECT_THAT(listener_.errors, SizeIs(3));
  EXPECT_EQ(figures().items_deleted, 0U);
}

TEST_F(RestoreFailure, VerifyDoesNotReportTheSameFileAgain) {
  const BlobId tree = tree_of({file("a", "gone"), file("b", "whole")});
  remove_pack_of("gone");
  restore_tree(tree);
  EXPECT_EQ(value_of(restorer_->verify()), 1U);
  EXPECT_THAT(listener_.errors, SizeIs(1));
}

TEST_F(RestoreFailure, AFileInThePlaceOfAFolderStaysIfTheFoldersTreeCannotBeRead) {
  const BlobId inner = repository_.builder().add_tree({file("x", "y")});
  const BlobId tree = tree_of({folder_node("f", inner)});
  damage_pack_of(inner);
  put("f", "mine");
  restore_tree(tree);
  expect_untouched("f", "mine");
  EXPECT_THAT(listener_.errors, ::testing::Each(StartsWith("/f: ")));
}

TEST_F(RestoreFailure, AFileInThePlaceOfALinkStaysIfTheLinkCannotBeMade) {
  put("l", "mine");
  // No system makes a symbolic link without a target.
  restore({R"({"name":"l","type":"symlink","mode":134218239,"mtime":"2020-01-01T00:00:00Z",)"
           R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,)"
           R"("linktarget":"","content":null})"});
  expect_untouched("l", "mine");
  EXPECT_THAT(names_in(target()), ElementsAre("l"));
  EXPECT_THAT(listener_.errors, ElementsAre(StartsWith("/l: ")));
}

// --- A pack is damaged inside

TEST_F(RestoreFailure, ANewFileKeepsWhatCouldBeReadAndIsNamedAsIncomplete) {
  const BlobId tree = tree_of({file_of("f", {"one", long_, "end"})});
  spoil_pack_of(long_);
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "f"), "one" + std::string(long_.size(), '\0') + "end");
  EXPECT_THAT(listener_.errors, ElementsAre(StartsWith("/f: incomplete; ")));
  EXPECT_EQ(figures().items_restored, 0U);
}

TEST_F(RestoreFailure, AnExistingFileIsNotCutAndIsNamedAsPartlyOverwritten) {
  const BlobId tree = tree_of({file_of("f", {"one", long_})});
  const std::string mine(2000, 'm');
  put("f", mine);
  spoil_pack_of(long_);
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "f"), "one" + mine.substr(3));
  EXPECT_THAT(listener_.errors, ElementsAre(StartsWith("/f: partly overwritten; ")));
}

TEST_F(RestoreFailure, AnExistingFileIsNotTouchedBeforeItsFirstBlobHasCome) {
  const BlobId tree = tree_of({file_of("f", {long_, "end"})});
  put("f", "mine");
  spoil_pack_of(long_);
  restore_tree(tree);
  expect_untouched("f", "mine");
  EXPECT_THAT(listener_.errors, ElementsAre(StartsWith("/f: not restored; the existing one")));
}

TEST_F(RestoreFailure, AnIncompleteFileIsRestoredAgainAlsoIfOnlyOlderOrChangedOnesAre) {
  const BlobId tree = tree_of({file_of("new", {"one", long_}), file_of("there", {"two", long_})});
  put("there", "mine, and older");
  const FileName pack = repository_.builder().pack_names_of(data_id(long_)).front();
  for (const Overwrite overwrite :
       {Overwrite::kIfNewer, Overwrite::kIfChanged, Overwrite::kAlways}) {
    options_.overwrite = overwrite;
    repository_.damage(pack);
    listener_.errors.clear();
    restore_tree(tree);
    EXPECT_THAT(listener_.errors, SizeIs(2));
    EXPECT_LT(lstat_of(target() / "new").st_mtim.tv_sec, kSnapshotTime);
    EXPECT_LT(lstat_of(target() / "there").st_mtim.tv_sec, kSnapshotTime);

    repository_.damage(pack);  // flips the same bit again, which makes it right
    listener_.errors.clear();
    restore_tree(tree);
    EXPECT_THAT(listener_.errors, IsEmpty());
    EXPECT_EQ(read_file(target() / "new"), "one" + long_);
    EXPECT_EQ(read_file(target() / "there"), "two" + long_);
    fs::remove(target() / "new");
    put("there", "mine, and older");
  }
}

TEST_F(RestoreFailure, ALinkAndAFileOfTwoNamesStayUntilTheirSuccessorIsWhole) {
  const BlobId tree = tree_of({file_of("link", {"one", long_}), file_of("two", {"one", long_})});
  fs::create_symlink("elsewhere", target() / "link");
  put("two", "mine");
  fs::create_hard_link(target() / "two", dir_.path() / "the other");
  spoil_pack_of(long_);
  restore_tree(tree);
  EXPECT_EQ(fs::read_symlink(target() / "link"), "elsewhere");
  expect_untouched("two", "mine");
  EXPECT_THAT(names_in(target()), ElementsAre("link", "two"));
  EXPECT_THAT(listener_.errors,
              UnorderedElementsAre(StartsWith("/link: not restored; the existing one is left"),
                                   StartsWith("/two: not restored; the existing one is left")));
}

// --- The storage goes away in the middle

TEST_F(RestoreFailure, FilesThatWereNotBegunAreLeftAloneWhenTheStorageGoesAway) {
  const BlobId tree = tree_of({file("a", "content of a"), file_of("b", {"begun", "never"}),
                               file("c", "content of c"), file("d", "content of d"),
                               file_of("e", {"begun", "never"})});
  put("c", "mine, and longer than that of the snapshot");
  put("e", "mine too");
  lose_storage_at("never");
  restore_tree(tree);
  EXPECT_THAT(status_, FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(read_file(target() / "a"), "content of a");
  EXPECT_EQ(read_file(target() / "b").substr(0, 5), "begun");
  EXPECT_LT(lstat_of(target() / "b").st_mtim.tv_sec, kSnapshotTime);
  expect_untouched("c", "mine, and longer than that of the snapshot");
  EXPECT_THAT(names_in(target()), ElementsAre("a", "b", "c", "e"));
  EXPECT_EQ(read_file(target() / "e").substr(0, 5), "begun");
  EXPECT_THAT(listener_.errors,
              ElementsAre(AllOf(StartsWith("/b: incomplete"), HasSubstr("connection reset")),
                          StartsWith("/e: partly overwritten")));
  EXPECT_THAT(status_.error().message(),
              AllOf(HasSubstr("begun and not whole: 2"), HasSubstr("left as they were: 2")));

  find_storage_again();
  restore_tree(tree);
  ASSERT_OK(status_);
  EXPECT_EQ(read_file(target() / "b"), "begunnever");
  EXPECT_EQ(read_file(target() / "c"), "content of c");
  EXPECT_EQ(read_file(target() / "d"), "content of d");
}

TEST_F(RestoreFailure, NothingIsDeletedWhenTheStorageGoesAway) {
  const BlobId tree = tree_of({file("a", "never")});
  put("not in the snapshot", "mine");
  put("a", "mine");
  lose_storage_at("never");
  options_.remove_unexpected = true;
  restore_tree(tree);
  EXPECT_THAT(status_, FailsWith(ErrorKind::kUnavailable));
  expect_untouched("not in the snapshot", "mine");
  expect_untouched("a", "mine");
}

TEST_F(RestoreFailure, AnInterruptedRestoreNamesTheFilesThatItLeavesHalfDone) {
  const BlobId tree = tree_of({file_of("a", {"begun", "never"}), file("b", "content of b")});
  std::stop_source stop;
  options_.stop = stop.get_token();
  const std::string pack = repository_.builder().pack_names_of(data_id("never")).front().name;
  repository_.storage().watch([&](const FileName& read) -> Status {
    if (read.name == pack) stop.request_stop();
    return {};
  });
  restore_tree(tree);
  EXPECT_THAT(status_, FailsWith(ErrorKind::kCancelled));
  EXPECT_THAT(names_in(target()), ElementsAre("a"));
  EXPECT_LT(lstat_of(target() / "a").st_mtim.tv_sec, kSnapshotTime);
  EXPECT_THAT(listener_.errors, ElementsAre(StartsWith("/a: incomplete")));
}

}  // namespace
}  // namespace restree::testing
