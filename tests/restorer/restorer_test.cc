// Restores of small hand-made snapshots, and how often they read from the repository.
#include "repo/restorer/restorer.h"

#include <sys/xattr.h>

#include "tests/restorer/restore_fixture.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

unsigned permissions_of(const fs::path& path) {
  struct stat attributes {};
  EXPECT_EQ(::stat(path.c_str(), &attributes), 0);
  return attributes.st_mode & 07777;
}

std::vector<std::string> attribute_names(const fs::path& path) {
  std::string list(4096, '\0');
  const ssize_t size = ::listxattr(path.c_str(), list.data(), list.size());
  EXPECT_GE(size, 0);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < static_cast<std::size_t>(size); at += names.back().size() + 1) {
    names.emplace_back(list.c_str() + at);
  }
  return names;
}

class RestorerTest : public RestoreFixture {};

TEST_F(RestorerTest, FilesFoldersAndLinksComeBack) {
  restore({file("a", "content of a"), folder("f", {file("inside", "deep")}),
           file_node("empty", {}, 0),
           R"({"name":"link","type":"symlink","mode":134218239,"mtime":"2020-01-01T00:00:00Z",)"
           R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,)"
           R"("linktarget":"f/inside","content":null})"});
  ASSERT_OK(status_);
  EXPECT_EQ(read_file(target() / "a"), "content of a");
  EXPECT_EQ(read_file(target() / "link"), "deep");
  EXPECT_EQ(fs::file_size(target() / "empty"), 0U);
  EXPECT_EQ(lstat_of(target() / "a").st_mode, S_IFREG | 0644U);
  EXPECT_EQ(lstat_of(target() / "f").st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(lstat_of(target() / "f").st_mtim.tv_sec, 1577836800);
  EXPECT_EQ(figures().items_restored, 5U);
  EXPECT_EQ(figures().items_total, 5U);
}

TEST_F(RestorerTest, AFileOfManyBlobsIsPutTogetherInOrder) {
  const BlobId one = data("one");
  const BlobId two = data("two2");
  restore({file_node("f", {one, two, one, one}, 13)});
  EXPECT_EQ(read_file(target() / "f"), "onetwo2oneone");
}

TEST_F(RestorerTest, ABlobOfManyFilesIsReadOnce) {
  const BlobId shared = data("shared");
  const BlobId tree = tree_of(
      {file_node("a", {shared}, 6), file_node("b", {shared}, 6), file_node("c", {shared}, 6)});
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "c"), "shared");
  EXPECT_EQ(repository_.storage().reads(FileType::kPack), 2U);  // the tree, the blob
}

TEST_F(RestorerTest, ContentThatIsThereAlreadyIsNotFetchedAgain) {
  const BlobId tree = tree_of({file("a", "right"), file("b", "other")});
  fs::create_directories(target());
  write_file(target() / "a", "right");
  write_file(target() / "b", "wrong!");
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "b"), "other");
  EXPECT_EQ(repository_.storage().reads(FileType::kPack), 2U);  // the tree, and b
  EXPECT_EQ(figures().items_skipped, 1U);
  EXPECT_EQ(figures().bytes_skipped, 5U);
}

TEST_F(RestorerTest, OfAFileThatIsPartlyRightOnlyTheRestIsFetched) {
  const BlobId tree = tree_of({file_node("f", {data("one"), data("two"), data("end")}, 9)});
  fs::create_directories(target());
  write_file(target() / "f", "oneXXXendtoo long");
  options_.tell_items = true;
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "f"), "onetwoend");
  EXPECT_EQ(repository_.storage().reads(FileType::kPack), 2U);
  EXPECT_THAT(listener_.items, ElementsAre("updated /f"));
}

TEST_F(RestorerTest, AnotherNameOfAFileInTheTargetKeepsItsContent) {
  const BlobId tree = tree_of({file_node("f", {data("one"), data("two")}, 6)});
  fs::create_directories(target());
  write_file(dir_.path() / "elsewhere", "oneXXX");
  fs::create_hard_link(dir_.path() / "elsewhere", target() / "f");
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "f"), "onetwo");
  EXPECT_EQ(read_file(dir_.path() / "elsewhere"), "oneXXX");
}

TEST_F(RestorerTest, OverwriteNeverLeavesExistingFiles) {
  fs::create_directories(target());
  write_file(target() / "a", "mine");
  options_.overwrite = Overwrite::kNever;
  restore({file("a", "theirs"), file("b", "new")});
  EXPECT_EQ(read_file(target() / "a"), "mine");
  EXPECT_EQ(read_file(target() / "b"), "new");
}

TEST_F(RestorerTest, OverwriteIfNewerLeavesYoungerFiles) {
  fs::create_directories(target());
  write_file(target() / "a", "younger than 2020");
  options_.overwrite = Overwrite::kIfNewer;
  restore({file("a", "of 2020")});
  EXPECT_EQ(read_file(target() / "a"), "younger than 2020");
}

TEST_F(RestorerTest, OverwriteIfChangedTrustsSizeAndTime) {
  const BlobId tree = tree_of({file("a", "right")});
  restore_tree(tree);
  const fs::file_time_type time = fs::last_write_time(target() / "a");
  write_file(target() / "a", "WRONG");
  fs::last_write_time(target() / "a", time);
  options_.overwrite = Overwrite::kIfChanged;
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "a"), "WRONG");
  write_file(target() / "a", "WRONG");
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "a"), "right");
}

TEST_F(RestorerTest, ADryRunMakesNothing) {
  options_.dry_run = true;
  options_.tell_items = true;
  restore({file("a", "x"), folder("f", {file("b", "yy")})});
  ASSERT_OK(status_);
  EXPECT_FALSE(fs::exists(target()));
  EXPECT_THAT(listener_.items,
              ::testing::UnorderedElementsAre("restored /a", "restored /f/b", "restored /f"));
  EXPECT_EQ(figures().bytes_total, 3U);
}

TEST_F(RestorerTest, OnlyWhatIsSelectedComesBackWithItsFolders) {
  options_.select = [](const std::string& location, bool) {
    return SelectVerdict{.selected = location == "/f/wanted", .children = true};
  };
  restore({file("a", "x"), folder("f", {file("other", "y"), file("wanted", "z")}),
           folder("g", {file("h", "q")})});
  EXPECT_THAT(names_in(target()), ElementsAre("f"));
  EXPECT_THAT(names_in(target() / "f"), ElementsAre("wanted"));
}

// --- Damage

// Most of its pack, so that it is what damage() hits.
const std::string kLong(500, 'L');

TEST_F(RestorerTest, ADamagedBlobIsReportedWithItsFileAndTheRestComesBack) {
  const BlobId bad = data(kLong);
  const BlobId tree =
      tree_of({file("a", "whole"), file_node("b", {bad}, kLong.size()), file("c", "whole too")});
  damage_pack_of(bad);
  restore_tree(tree);
  ASSERT_OK(status_);
  EXPECT_THAT(listener_.errors, ElementsAre(AllOf(HasSubstr("/b: "), HasSubstr(bad.hex()))));
  EXPECT_EQ(read_file(target() / "a"), "whole");
  EXPECT_EQ(read_file(target() / "c"), "whole too");
  EXPECT_EQ(figures().errors, 1U);
}

TEST_F(RestorerTest, ADamagedFileKeepsItsOtherBytesAndDoesNotLookComplete) {
  const BlobId bad = data(kLong);
  const BlobId tree = tree_of({file_node("f", {data("one"), bad, data("end")}, kLong.size() + 6)});
  damage_pack_of(bad);
  restore_tree(tree);
  EXPECT_EQ(read_file(target() / "f"), "one" + std::string(kLong.size(), '\0') + "end");
  EXPECT_NE(lstat_of(target() / "f").st_mtim.tv_sec, 1577836800);
}

TEST_F(RestorerTest, AMissingPackIsReportedWithItsFilesAndTheRestComesBack) {
  const BlobId gone = data("gone");
  const BlobId tree = tree_of({file("a", "whole"), file_node("b", {gone}, 4)});
  repository_.remove_packs_of(gone);
  restore_tree(tree);
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("/b: ")));
  EXPECT_EQ(read_file(target() / "a"), "whole");
}

TEST_F(RestorerTest, AFolderWhoseTreeIsDamagedIsMadeAndNothingInItIsDeleted) {
  const BlobId inner = repository_.builder().add_tree({file("x", "y")});
  const BlobId tree = tree_of({folder_node("f", inner), file("z", "whole")});
  damage_pack_of(inner);
  fs::create_directories(target() / "f");
  write_file(target() / "f/mine", "kept");
  options_.remove_unexpected = true;
  restore_tree(tree);
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("/f: ")));
  EXPECT_EQ(read_file(target() / "f/mine"), "kept");
  EXPECT_EQ(read_file(target() / "z"), "whole");
}

TEST_F(RestorerTest, AServerThatIsGoneEndsTheRestore) {
  const BlobId tree = tree_of({file("a", "x"), file("b", "y")});
  repository_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kPack) return {};
    return Error(ErrorKind::kUnavailable, "nas: connection reset");
  });
  restore_tree(tree);
  EXPECT_THAT(status_, FailsWith(ErrorKind::kUnavailable));
}

// --- Entries that exist in the target

TEST_F(RestorerTest, ALinkInTheWayOfAFolderIsReplacedNotFollowed) {
  fs::create_directories(dir_.path() / "outside");
  fs::create_directories(target());
  fs::create_directory_symlink(dir_.path() / "outside", target() / "f");
  restore({folder("f", {file("a", "x")})});
  ASSERT_OK(status_);
  EXPECT_THAT(names_in(dir_.path() / "outside"), IsEmpty());
  EXPECT_EQ(read_file(target() / "f/a"), "x");
}

TEST_F(RestorerTest, ALinkInTheWayOfAFileIsReplacedNotFollowed) {
  fs::create_directories(target());
  write_file(dir_.path() / "outside", "mine");
  fs::create_symlink(dir_.path() / "outside", target() / "a");
  restore({file("a", "theirs")});
  EXPECT_EQ(read_file(dir_.path() / "outside"), "mine");
  EXPECT_EQ(read_file(target() / "a"), "theirs");
}

TEST_F(RestorerTest, NamesThatLeadElsewhereAreRefused) {
  restore({file("..", "up"), file("a/b", "aside"), file("good", "x")});
  EXPECT_THAT(names_in(target()), ElementsAre("good"));
  EXPECT_THAT(names_in(dir_.path()), ElementsAre("target"));
  EXPECT_EQ(figures().errors, 2U);
}

// As a C string the target would be "/etc", and the attribute "user.a".
TEST_F(RestorerTest, ATextWithAZeroByteIsAnErrorOfItsItem) {
  restore({R"({"name":"link","type":"symlink","mode":134218239,"linktarget":"/etc\u0000x"})",
           file("f", "content",
                R"(,"mode":420,"extended_attributes":[{"name":"user.a\u0000b","value":"eA=="},)"
                R"({"name":"user.c","value":"eQ=="}])"),
           file("g", "other")});
  EXPECT_THAT(names_in(target()), ElementsAre("f", "g"));
  EXPECT_THAT(listener_.errors,
              UnorderedElementsAre(AllOf(HasSubstr("/link: "), HasSubstr("a zero byte")),
                                   AllOf(HasSubstr("/f: "), HasSubstr("user.a\\x00b"))));
  EXPECT_EQ(read_file(target() / "f"), "content");
  EXPECT_EQ(permissions_of(target() / "f"), 0644);
  EXPECT_EQ(attribute_names(target() / "f"), (std::vector<std::string>{"user.c"}));
}

TEST_F(RestorerTest, AnAttributeThatCannotBeSetDoesNotKeepTheNextFromBeingSet) {
  const std::string long_name(300, 'x');  // more than Linux can carry
  restore({file("f", "content",
                R"(,"extended_attributes":[{"name":"user.)" + long_name +
                    R"(","value":"eA=="},{"name":"user.)" + long_name +
                    R"(y","value":"eA=="},{"name":"user.z","value":"eQ=="}])")});
  EXPECT_EQ(attribute_names(target() / "f"), (std::vector<std::string>{"user.z"}));
  EXPECT_THAT(listener_.errors,
              ElementsAre(AllOf(HasSubstr("user." + long_name), HasSubstr("and 1 more"))));
}

TEST_F(RestorerTest, AnOwnersNameIsNotCutShortAtAZeroByte) {
  options_.ownership_by_name = true;
  restore(
      {file("f", "x",
            R"(,"mode":420,"uid":1234,"gid":1235,"user":"root\u0000x","group":"root\u0000x")")});
  struct stat attributes {};
  ASSERT_EQ(::stat((target() / "f").c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_uid, 1234U);
  EXPECT_EQ(attributes.st_gid, 1235U);
}

TEST_F(RestorerTest, DeleteRemovesEntriesThatTheSnapshotDoesNotHave) {
  fs::create_directories(target() / "f/old/deep");
  fs::create_directories(dir_.path() / "outside");
  write_file(dir_.path() / "outside/kept", "x");
  write_file(target() / "f/old/deep/file", "x");
  fs::create_directory_symlink(dir_.path() / "outside", target() / "f/old/link");
  write_file(target() / "gone", "x");
  options_.remove_unexpected = true;
  restore({folder("f", {file("a", "x")})});
  EXPECT_THAT(names_in(target()), ElementsAre("f"));
  EXPECT_THAT(names_in(target() / "f"), ElementsAre("a"));
  EXPECT_EQ(read_file(dir_.path() / "outside/kept"), "x");
  EXPECT_EQ(figures().items_deleted, 5U);
}

TEST_F(RestorerTest, AFolderThatIsNotEmptyDoesNotGiveWayToAFile) {
  fs::create_directories(target() / "a");
  write_file(target() / "a/mine", "x");
  restore({file("a", "theirs")});
  EXPECT_EQ(read_file(target() / "a/mine"), "x");
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("/a: ")));
}

TEST_F(RestorerTest, WithDeleteAFolderGivesWayToAFileAndToALink) {
  for (const char* name : {"a", "b", "l"}) {
    fs::create_directories(target() / name / "deep");
    write_file(target() / name / "deep/mine", "x");
  }
  const auto name = [&](const std::string& as) {
    std::string node = file(as, "theirs");
    return node.replace(node.find("\"links\":1"), 9, "\"links\":2");
  };
  options_.remove_unexpected = true;
  restore({name("a"), name("b"),
           R"({"name":"l","type":"symlink","mode":134218239,"mtime":"2020-01-01T00:00:00Z",)"
           R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":0,"gid":0,)"
           R"("linktarget":"a","content":null})"});
  ASSERT_OK(status_);
  EXPECT_THAT(listener_.errors, IsEmpty());
  EXPECT_THAT(names_in(target()), ElementsAre("a", "b", "l"));
  EXPECT_EQ(read_file(target() / "l"), "theirs");
  EXPECT_EQ(lstat_of(target() / "a").st_ino, lstat_of(target() / "b").st_ino);
}

TEST_F(RestorerTest, NamesOfOneInodeBecomeOneFile) {
  const BlobId content = data("three names");
  const auto link = [&](const std::string& name) {
    std::string node = file_node(name, {content}, 11);
    return node.replace(node.find("\"links\":1"), 9, "\"links\":3");
  };
  restore({link("a"), folder("f", {link("b")}), link("c")});
  ASSERT_OK(status_);
  EXPECT_EQ(lstat_of(target() / "a").st_nlink, 3U);
  EXPECT_EQ(lstat_of(target() / "f/b").st_ino, lstat_of(target() / "c").st_ino);
}

TEST_F(RestorerTest, StretchesOfZerosBecomeHolesIfAsked) {
  const BlobId zeros = data(std::string(1 << 20, '\0'));
  const BlobId mixed = data(std::string(100000, '\0') + "island" + std::string(100000, '\0'));
  options_.sparse = true;
  restore({file_node("f", {zeros, mixed, zeros}, (2 << 20) + 200006)});
  ASSERT_OK(status_);
  EXPECT_EQ(read_file(target() / "f").substr((1 << 20) + 100000, 6), "island");
  EXPECT_EQ(fs::file_size(target() / "f"), (2U << 20) + 200006U);
  EXPECT_LE(lstat_of(target() / "f").st_blocks * 512, 64 << 10);
}

TEST_F(RestorerTest, VerifyFindsAFileThatOthersHaveChanged) {
  restore({file("a", "right"), file("b", "right too")});
  EXPECT_EQ(value_of(restorer_->verify()), 2U);
  write_file(target() / "b", "wrong too");
  EXPECT_EQ(value_of(restorer_->verify()), 1U);
  EXPECT_THAT(listener_.errors, ElementsAre(HasSubstr("/b: ")));
}

TEST_F(RestorerTest, AnInterruptedRestoreGoesOn) {
  std::vector<std::string> nodes;
  for (int i = 0; i < 50; ++i) {
    nodes.push_back(file("file " + std::to_string(100 + i), "content " + std::to_string(i)));
  }
  const BlobId tree = tree_of(nodes);
  std::stop_source stop;
  options_.stop = stop.get_token();
  std::atomic<int> packs = 0;
  repository_.storage().watch([&](const FileName& file) -> Status {
    if (file.type == FileType::kPack && ++packs == 20) stop.request_stop();
    return {};
  });
  restore_tree(tree);
  EXPECT_THAT(status_, FailsWith(ErrorKind::kCancelled));
  options_.stop = {};
  const int read_before = packs;
  restore_tree(tree);
  ASSERT_OK(status_);
  EXPECT_EQ(names_in(target()).size(), 50U);
  EXPECT_EQ(read_file(target() / "file 149"), "content 49");
  // 50 blobs and the tree twice, and once more the few that were under way.
  EXPECT_LE(packs - read_before, 51 - read_before + 2 + 4);
}

}  // namespace
}  // namespace restree::testing
