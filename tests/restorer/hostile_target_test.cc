// Restores by root into a folder in which others move, link and replace things meanwhile: nothing
// but what was restored gets owner, mode or content of the snapshot's.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <map>
#include <thread>

#include "repo/crypto/sha256.h"
#include "tests/restorer/restore_fixture.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr uid_t kSomebody = 1234;

class HostileTarget : public RestoreFixture {
 protected:
  HostileTarget() {
    options_.threads = 1;
    options_.tell_items = true;
    fs::create_directories(target());
    write_file(victim(), "root's own");
    EXPECT_EQ(::chmod(victim().c_str(), 0600), 0);
  }
  void SetUp() override {
    struct statfs system {};
    ASSERT_EQ(::statfs(target().c_str(), &system), 0);
    if (system.f_type == OVERLAYFS_SUPER_MAGIC) {
      GTEST_SKIP() << "the numbers of files do not last on this file system";
    }
  }
  ~HostileTarget() override {
    const struct stat attributes = lstat_of(victim());
    EXPECT_EQ(attributes.st_mode, S_IFREG | 0600U) << "the file outside of the target";
    EXPECT_EQ(attributes.st_uid, 0U);
    EXPECT_EQ(read_file(victim()), "root's own");
  }
  // A file outside of the target, which stays as it is.
  fs::path victim() const { return dir_.path() / "victim"; }
  void put_victim_at(const std::string& name) const {
    fs::remove(target() / name);
    fs::create_hard_link(victim(), target() / name);
  }
  // A file that the snapshot gives to somebody, for all to read and write.
  static std::string given_away(std::string node) {
    node.replace(node.find("\"mode\":420"), 10, "\"mode\":438");
    return node.replace(node.find("\"uid\":0"), 7, "\"uid\":" + std::to_string(kSomebody));
  }
  static std::string of_two_names(std::string node) {
    return node.replace(node.find("\"links\":1"), 9, "\"links\":2");
  }
  static std::string fifo(const std::string& name) {
    return R"({"name":")" + name +
           R"(","type":"fifo","mode":33554848,"mtime":"2020-01-01T00:00:00Z",)"
           R"("atime":"2020-01-01T00:00:00Z","ctime":"2020-01-01T00:00:00Z","uid":1234,"gid":5,)"
           R"("content":null})";
  }
  // Calls `attack` once, before the first read of this blob's pack.
  void before_reading(const BlobId& id, std::function<void()> attack) {
    const std::string pack = repository_.builder().pack_names_of(id).front().name;
    repository_.storage().watch(
        [pack, attack = std::move(attack), done = false](const FileName& file) mutable -> Status {
          if (file.type == FileType::kPack && file.name == pack && !done) {
            done = true;
            attack();
          }
          return {};
        });
  }
};

TEST_F(HostileTarget, AFileThatIsRightAndThenReplacedByALinkGivesNothingAway) {
  write_file(target() / "f", "as saved");
  listener_.on_item = [&](const std::string& line) {
    if (line == "unchanged /f") put_victim_at("f");
  };
  restore({given_away(file("f", "as saved"))});
  ASSERT_OK(status_);
  EXPECT_THAT(listener_.items, ElementsAre("unchanged /f"));
}

TEST_F(HostileTarget, AFileWithTheRightContentThatHasNamesElsewhereIsNotGivenAway) {
  put_victim_at("f");
  restore({given_away(file("f", "root's own"))});
  ASSERT_OK(status_);
  EXPECT_EQ(read_file(target() / "f"), "root's own");
  EXPECT_EQ(lstat_of(target() / "f").st_nlink, 1U);
  EXPECT_EQ(lstat_of(target() / "f").st_uid, kSomebody);
}

TEST_F(HostileTarget, TwoNamesOfOneFileThatAreRightStayAsTheyAre) {
  write_file(target() / "a", "one file");
  ASSERT_EQ(::chmod((target() / "a").c_str(), 0644), 0);
  fs::create_hard_link(target() / "a", target() / "b");
  const ino_t before = lstat_of(target() / "a").st_ino;
  restore({of_two_names(file("a", "one file")), of_two_names(file("b", "one file"))});
  EXPECT_EQ(lstat_of(target() / "a").st_ino, before);
  EXPECT_EQ(lstat_of(target() / "b").st_ino, before);
  EXPECT_THAT(names_in(target()), ElementsAre("a", "b"));
}

TEST_F(HostileTarget, ContentIsNotWrittenIntoAFileThatHasTakenThePlaceOfThatInTheSnapshot) {
  write_file(target() / "f", "half, mine");
  const BlobId rest = data("theirs");
  const BlobId tree = tree_of({given_away(file_node("f", {data("half"), rest}, 10))});
  before_reading(rest, [&] { put_victim_at("f"); });
  restore_tree(tree);
  EXPECT_THAT(listener_.errors, ElementsAre(AllOf(StartsWith("/f: "), HasSubstr("another file"))));
}

TEST_F(HostileTarget, AFileThatIsOpenedAgainIsTheSameFile) {
  constexpr int kFiles = 300;  // more than are kept open
  const BlobId first = data("first");
  const BlobId last = data("last");
  std::vector<std::string> nodes;
  for (int i = 0; i < kFiles; ++i) {
    nodes.push_back(given_away(file_node("f" + std::to_string(100 + i), {first, last}, 9)));
  }
  const BlobId tree = tree_of(nodes);
  before_reading(last, [&] {
    for (int i = 0; i < kFiles; ++i) put_victim_at("f" + std::to_string(100 + i));
  });
  restore_tree(tree);
  EXPECT_THAT(listener_.errors, Not(IsEmpty()));
  EXPECT_THAT(listener_.errors, Each(HasSubstr("another file")));
}

TEST_F(HostileTarget, NothingIsRestoredIntoAFolderThatHasTakenThePlaceOfOneThatWasMade) {
  constexpr int kFolders = 200;  // more than are kept open
  const BlobId content = data("content");
  const BlobId inside = repository_.builder().add_tree({file_node("f", {content}, 7)});
  std::vector<std::string> nodes;
  for (int i = 0; i < kFolders; ++i) {
    nodes.push_back(folder_node("d" + std::to_string(100 + i), inside));
  }
  const BlobId tree = tree_of(nodes);
  before_reading(content, [&] {
    fs::rename(target() / "d100", dir_.path() / "away");
    fs::create_directories(target() / "d100");
  });
  restore_tree(tree);
  EXPECT_THAT(names_in(target() / "d100"), IsEmpty());
  EXPECT_EQ(read_file(target() / "d299/f"), "content");
  EXPECT_THAT(listener_.errors, Contains(AllOf(StartsWith("/d100"), HasSubstr("another folder"))));
}

TEST_F(HostileTarget, NoNameIsGivenToAFileThatHasTakenThePlaceOfTheOneRestored) {
  listener_.on_item = [&](const std::string& line) {
    if (line == "restored /a") put_victim_at("a");
  };
  restore(
      {of_two_names(file("a", "two names")), folder("d", {of_two_names(file("b", "two names"))})});
  EXPECT_THAT(names_in(target() / "d"), IsEmpty());
  EXPECT_THAT(listener_.errors,
              ElementsAre(AllOf(StartsWith("/d/b: "), HasSubstr("another file"))));
}

// Its old owner may hold it open for writing.
TEST_F(HostileTarget, AFileOfAnotherThatIsToRunAsItsOwnerIsMadeAnew) {
  write_file(target() / "f", "#!/bin/true");
  ASSERT_EQ(::chown((target() / "f").c_str(), kSomebody, 5), 0);
  const UniqueFd held(::open((target() / "f").c_str(), O_RDWR | O_CLOEXEC));
  std::string node = file("f", "#!/bin/true");
  restore({node.replace(node.find("\"mode\":420"), 10, "\"mode\":8389101")});  // setuid, 0755
  ASSERT_OK(status_);
  EXPECT_EQ(lstat_of(target() / "f").st_mode, S_IFREG | 04755U);
  struct stat attributes {};
  ASSERT_EQ(::fstat(held.get(), &attributes), 0);
  EXPECT_EQ(attributes.st_nlink, 0U);
  EXPECT_EQ(attributes.st_uid, kSomebody);
}

TEST_F(HostileTarget, ADryRunMakesNoFileToSeeItsOwner) {
  write_file(target() / "f", "#!/bin/true");
  ASSERT_EQ(::chown((target() / "f").c_str(), kSomebody, 5), 0);
  const struct stat before = lstat_of(target());
  options_.dry_run = true;
  std::string node = file("f", "#!/bin/true");
  restore({node.replace(node.find("\"mode\":420"), 10, "\"mode\":8389101")});
  ASSERT_OK(status_);
  EXPECT_THAT(listener_.items, ElementsAre("updated /f"));
  EXPECT_EQ(lstat_of(target()).st_ctim.tv_nsec, before.st_ctim.tv_nsec);
}

TEST_F(HostileTarget, ContentIsNotWrittenIntoAFileOfAThirdOwner) {
  write_file(target() / "f", "half, old");
  ASSERT_EQ(::chown((target() / "f").c_str(), kSomebody, 5), 0);
  const UniqueFd held(::open((target() / "f").c_str(), O_RDONLY | O_CLOEXEC));
  restore({file_node("f", {data("half"), data("secret")}, 10)});
  ASSERT_OK(status_);
  EXPECT_EQ(read_file(target() / "f"), "halfsecret");
  struct stat attributes {};
  ASSERT_EQ(::fstat(held.get(), &attributes), 0);
  EXPECT_EQ(attributes.st_size, 9);
}

// Another thread looks at each FIFO as soon as it is there, and for folders in which it could
// replace one before that.
TEST_F(HostileTarget, AFifoIsSeenWithItsOwnerOnlyAndMadeWhereNobodyElseCanEnter) {
  std::vector<std::string> nodes;
  for (int i = 0; i < 100; ++i) nodes.push_back(fifo("p" + std::to_string(100 + i)));
  std::map<std::string, struct stat> seen;
  std::jthread watcher([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (const std::string& name : names_in(target())) {
        struct stat attributes {};
        if (::lstat((target() / name).c_str(), &attributes) == 0) seen.emplace(name, attributes);
      }
    }
  });
  restore(nodes);
  watcher.request_stop();
  watcher.join();
  ASSERT_OK(status_);
  EXPECT_EQ(names_in(target()).size(), 100U);
  for (const auto& [name, attributes] : seen) {
    const bool is_fifo = name.starts_with('p');
    EXPECT_EQ(attributes.st_mode, is_fifo ? S_IFIFO | 0640U : S_IFDIR | 0700U) << name;
    EXPECT_EQ(attributes.st_uid, is_fifo ? kSomebody : 0U) << name;
  }
}

TEST_F(HostileTarget, ALinkInTheTargetsOwnPathIsFollowed) {
  fs::create_directories(dir_.path() / "real");
  fs::create_directory_symlink(dir_.path() / "real", dir_.path() / "named");
  const BlobId tree = tree_of({file("f", "content")});
  opened_ = repository_.open();
  Restorer restorer(*opened_, options_, listener_, (dir_.path() / "named/deep/er").string());
  ASSERT_OK(restorer.restore(tree));
  EXPECT_EQ(read_file(dir_.path() / "real/deep/er/f"), "content");
}

}  // namespace
}  // namespace restree::testing
