// A mount of damaged or hostile snapshots and trees: how far the harm goes, and what the log says.
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "fs/mount.h"
#include "repo/base/log.h"
#include "tests/fs/mount_fixture.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Entries;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using testing::MountTest;
using testing::value_of;

TEST_F(MountTest, ADirectoryWhoseTreeIsMissingIsDamageAndHarmsNoOther) {
  BlobId nowhere;
  nowhere.bytes.fill(std::byte{9});
  mount({folder_node("bad", nowhere), R"({"name":"none","type":"dir","mode":2147484141})",
         file_node("good", {data("x")}, 1)});
  for (const char* name : {"bad", "none"}) {
    const std::uint64_t inode = in_snapshot(name).inode;
    Entries entries;
    EXPECT_THAT(mount_->list(inode, 0, true, entries), FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(mount_->lookup(inode, "x"), FailsWith(ErrorKind::kCorrupt));
  }
  EXPECT_EQ(value_of(read(in_snapshot("good").inode)), "x");
}

TEST_F(MountTest, HostileNamesAreNotThere) {
  mount({file_node("..", {}, 0), file_node("a/b", {}, 0), file_node("", {}, 0),
         file_node("good", {}, 0)});
  EXPECT_THAT(names({"ids", snapshot_}), ElementsAre(".", "..", "good"));
  for (const char* name : {"..", "a/b", "", "."}) {
    EXPECT_FALSE(value_of(mount_->lookup(top(), name)).has_value()) << name;
  }
}

// A mount of trees with nodes that are not as they must be, and its log.
class OddNodes : public MountTest {
 protected:
  void mount_logged(const std::vector<std::string>& nodes) {
    EXPECT_OK(log::open_file(log_file_));
    mount(nodes);
  }
  // How many lines of the log hold these words.
  std::size_t lines_with(const std::string& words) const {
    std::istringstream lines(testing::read_file(log_file_));
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line);) count += line.find(words) != line.npos;
    return count;
  }
  // Three times: a line that is written at each look would then be there more than once.
  void look_at_everything() {
    for (int i = 0; i < 3; ++i) {
      Entries entries;
      EXPECT_OK(mount_->list(top(), 0, true, entries));
      for (const std::uint64_t inode : entries.taken) EXPECT_OK(mount_->attributes(inode));
    }
  }

  const testing::TempDir dir_;
  const std::string log_file_ = (dir_.path() / "log").string();
};

TEST_F(OddNodes, CostThemselvesAtMostAndAreNamedOnce) {
  mount_logged({file_node("a", {data("x")}, 1),
                R"({"name":"late","type":"file","mtime":"+12026-01-01T00:00:00Z","uid":-1})",
                R"({"name":"huge","type":"file","inode":99999999999999999999})", "7",
                file_node("z", {data("y")}, 1)});
  look_at_everything();
  EXPECT_THAT(names({"ids", snapshot_}), ElementsAre(".", "..", "a", "huge", "late", "z"));
  EXPECT_EQ(value_of(read(in_snapshot("z").inode)), "y");
  EXPECT_EQ(in_snapshot("late").attributes.st_uid, 65534U);
  EXPECT_EQ(in_snapshot("late").attributes.st_mtim.tv_sec, 0);
  const std::string where = "snapshot " + snapshot_ + ", path \"ids/" + snapshot_ + "\": node ";
  EXPECT_EQ(lines_with(where + R"("late" has fields that cannot be read: mtime, uid)"), 1U);
  EXPECT_EQ(lines_with(where + R"("huge" has fields that cannot be read: inode)"), 1U);
  EXPECT_EQ(lines_with(where + R"("" cannot be read)"), 1U);
}

TEST_F(OddNodes, OfOneNameAreAllShown) {
  const BlobId below = memory_.builder().add_tree({file_node("f", {data("inside")}, 6)});
  mount_logged(
      {R"({"name":"data","type":"symlink","linktarget":"elsewhere"})", folder_node("data", below)});
  look_at_everything();
  EXPECT_THAT(names({"ids", snapshot_}), ElementsAre(".", "..", "data", "data-1"));
  EXPECT_EQ(value_of(read(lookup({"ids", snapshot_, "data", "f"}).inode)), "inside");
  EXPECT_EQ(value_of(mount_->link_target(in_snapshot("data-1").inode)), "elsewhere");
  EXPECT_EQ(lines_with(R"("data" appears more than once, and one of them is called "data-1")"), 1U);
}

// The value of an attribute of so many bytes, as JSON has it.
std::string attribute_json(const std::string& name, std::size_t bytes) {
  return R"({"name":")" + name + R"(","value":")" + to_base64(as_bytes(std::string(bytes, 'v'))) +
         R"("})";
}

TEST_F(OddNodes, LoseOnlyTheAttributesThatLinuxCannotReturn) {
  const std::string fork = R"({"name":"fork","type":"file","extended_attributes":[)" +
                           attribute_json("user.a", 1) + "," +
                           attribute_json("com.apple.ResourceFork", 65537) + "," +
                           attribute_json("user.most", 65536) + "," +
                           attribute_json("user." + std::string(251, 'n'), 1) + "," +
                           attribute_json("user." + std::string(250, 'n'), 1) + "]}";
  std::string many = R"({"name":"many","type":"file","extended_attributes":[)";
  for (int i = 0; i < 300; ++i) {
    if (i > 0) many += ",";
    many += attribute_json("user." + std::to_string(1000 + i) + std::string(246, 'n'), 1);
  }
  mount_logged({fork, many + "]}"});
  const std::uint64_t inode = in_snapshot("fork").inode;
  EXPECT_THAT(value_of(mount_->attribute_names(inode)),
              ElementsAre("user.a", "user.most", "user." + std::string(250, 'n')));
  EXPECT_EQ(value_of(mount_->attribute(inode, "user.a")), "v");
  EXPECT_EQ(value_of(mount_->attribute(inode, "user.most"))->size(), 65536U);
  EXPECT_EQ(value_of(mount_->attribute(inode, "com.apple.ResourceFork")), std::nullopt);

  std::size_t listed = 0;
  const auto all = value_of(mount_->attribute_names(in_snapshot("many").inode));
  for (const std::string& name : all) listed += name.size() + 1;
  EXPECT_EQ(all.size(), 256U);
  EXPECT_LE(listed, 65536U);
  EXPECT_EQ(lines_with("is not listed: its value has 65537 bytes"), 1U);
  EXPECT_EQ(lines_with("is not listed"), 1U);
}

// An honest source cannot give such a tree: its id would have to be the hash of itself.
TEST_F(MountTest, ATreeThatContainsItselfIsDamage) {
  BlobId own{};
  own.bytes.fill(std::byte{0x5a});
  memory_.builder().add_as(own, BlobType::kTree, "{\"nodes\":[" + folder_node("again", own) + "]}");
  mount({folder_node("loop", own)});
  const std::uint64_t loop = in_snapshot("loop").inode;
  EXPECT_THAT(mount_->lookup(loop, "again"), FailsWith(ErrorKind::kCorrupt));
  Entries entries;
  EXPECT_THAT(mount_->list(loop, 0, true, entries), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(MountTest, ASnapshotWhoseRootIsMissingIsDamageNeverAbsence) {
  memory_.builder().add_snapshot(BlobId{{std::byte{1}}}, {.paths = {"/srv/x"}});
  open();
  EXPECT_THAT(try_lookup({"apps", "x", "2026-09-01T03-00-05Z"}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(names({"apps", "x"}), Contains("2026-09-01T03-00-05Z"));
}

TEST_F(MountTest, ADamagedSnapshotIsLeftOut) {
  memory_.builder().add_sealed(FileType::kSnapshot, "garbage");
  mount({file_node("f", {}, 0)});
  EXPECT_THAT(names({"ids"}), ElementsAre(".", "..", snapshot_));
}

TEST_F(MountTest, TheLogNamesTheSnapshotAndThePathOfWhatFailed) {
  const testing::TempDir dir;
  const std::string log_file = (dir.path() / "log").string();
  ASSERT_OK(log::open_file(log_file));
  auto& builder = memory_.builder();
  const BlobId lost{{std::byte{1}}};
  const BlobId inner = builder.add_tree({file_node("lost", {lost}, 6)});
  mount({folder_node("deep", builder.add_tree({folder_node("in", inner)})),
         file_node("lost", {lost}, 5)});
  EXPECT_FALSE(read(in_snapshot("lost").inode));
  EXPECT_FALSE(read(lookup({"ids", snapshot_, "deep", "in", "lost"}).inode));
  const std::string lines = testing::read_file(log_file);
  const std::string top = "snapshot " + snapshot_ + ", path \"ids/" + snapshot_;
  EXPECT_THAT(lines, ::testing::HasSubstr("read bytes 0 to 5: " + top + "/lost\": "));
  EXPECT_THAT(lines, ::testing::HasSubstr("read bytes 0 to 6: " + top + "/deep/in/lost\": "));
}

}  // namespace
}  // namespace restree
