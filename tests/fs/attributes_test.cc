#include "fs/attributes.h"

#include <sys/sysmacros.h>

#include <memory>
#include <string>
#include <vector>

#include "fs/ahead/read_plan.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

// A file with everything that stat(2) can show.
Node a_node(NodeType type) {
  Node node{};
  node.name = "name";
  node.type = type;
  node.has_mode = true;
  node.permissions = 0640;
  node.uid = 1000;
  node.gid = 100;
  node.mtime = {1'600'000'000, 123'456'789};
  node.atime = {1'700'000'000, 1};
  node.ctime = {-1, 999'999'999};
  node.inode = 4711;
  node.links = 1;
  return node;
}

struct stat shown(const Node& node, std::uint64_t size = 0, const Ownership& ownership = {}) {
  return attributes_of(node, 99, size, ownership);
}

TEST(Attributes, OfAFileAreThoseThatWereBackedUp) {
  const struct stat file = shown(a_node(NodeType::kFile), 1000);
  EXPECT_EQ(file.st_ino, 99U);
  EXPECT_EQ(file.st_mode, mode_t{S_IFREG | 0640});
  EXPECT_EQ(file.st_nlink, 1U);
  EXPECT_EQ(file.st_uid, 1000U);
  EXPECT_EQ(file.st_gid, 100U);
  EXPECT_EQ(file.st_size, 1000);
  EXPECT_EQ(file.st_mtim.tv_sec, 1'600'000'000);
  EXPECT_EQ(file.st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(file.st_atim.tv_sec, 1'700'000'000);
  EXPECT_EQ(file.st_ctim.tv_sec, -1);
  EXPECT_EQ(file.st_ctim.tv_nsec, 999'999'999);
}

TEST(Attributes, TellEveryTypeOfNode) {
  EXPECT_TRUE(S_ISREG(shown(a_node(NodeType::kFile)).st_mode));
  EXPECT_TRUE(S_ISDIR(shown(a_node(NodeType::kDirectory)).st_mode));
  EXPECT_TRUE(S_ISLNK(shown(a_node(NodeType::kSymlink)).st_mode));
  EXPECT_TRUE(S_ISBLK(shown(a_node(NodeType::kBlockDevice)).st_mode));
  EXPECT_TRUE(S_ISCHR(shown(a_node(NodeType::kCharDevice)).st_mode));
  EXPECT_TRUE(S_ISFIFO(shown(a_node(NodeType::kFifo)).st_mode));
  EXPECT_TRUE(S_ISSOCK(shown(a_node(NodeType::kSocket)).st_mode));
}

TEST(Attributes, KeepSetuidSetgidAndSticky) {
  Node node = a_node(NodeType::kFile);
  node.permissions = 07777;
  EXPECT_EQ(shown(node).st_mode, mode_t{S_IFREG | 07777});
}

TEST(Attributes, CountHardLinksAndNeverLessThanOne) {
  Node node = a_node(NodeType::kFile);
  node.links = 3;
  EXPECT_EQ(shown(node).st_nlink, 3U);
  node.links = 0;
  EXPECT_EQ(shown(node).st_nlink, 1U);
}

TEST(Attributes, OfADirectoryDoNotCountItsLinks) {
  Node node = a_node(NodeType::kDirectory);
  node.links = 17;
  EXPECT_EQ(shown(node).st_nlink, 1U);
}

TEST(Attributes, CountTheBlocksThatDataTakes) {
  EXPECT_EQ(shown(a_node(NodeType::kFile), 0).st_blocks, 0);
  EXPECT_EQ(shown(a_node(NodeType::kFile), 1).st_blocks, 1);
  EXPECT_EQ(shown(a_node(NodeType::kFile), 512).st_blocks, 1);
  EXPECT_EQ(shown(a_node(NodeType::kFile), 513).st_blocks, 2);
}

TEST(Attributes, DoNotCountTheBlocksOfHoles) {
  Node node = a_node(NodeType::kFile);
  const std::vector<BlobId> content{zero_blob_id(), zero_blob_id(), BlobId{}};
  node.content = content;
  const struct stat sparse = shown(node, 2 * kZeroBlobBytes + 1024);
  EXPECT_EQ(sparse.st_size, static_cast<off_t>(2 * kZeroBlobBytes + 1024));
  EXPECT_EQ(sparse.st_blocks, 2);
  // A size that cannot be, since a blob is missing: no more holes than file.
  EXPECT_EQ(shown(node, 100).st_blocks, 0);
}

TEST(Attributes, OfALinkHaveTheLengthOfItsTarget) {
  Node node = a_node(NodeType::kSymlink);
  node.link_target = "../target";
  EXPECT_EQ(shown(node).st_size, 9);
}

TEST(Attributes, OfADeviceHaveItsNumber) {
  for (const NodeType type : {NodeType::kBlockDevice, NodeType::kCharDevice}) {
    Node node = a_node(type);
    node.device = makedev(8, 17);
    EXPECT_EQ(shown(node).st_rdev, makedev(8, 17));
  }
  Node file = a_node(NodeType::kFile);
  file.device = makedev(8, 17);
  EXPECT_EQ(shown(file).st_rdev, 0U);
}

TEST(Attributes, OfADirectoryStoredWithoutModeLetItBeEntered) {
  Node node = a_node(NodeType::kDirectory);
  node.has_mode = false;
  node.permissions = 0;
  EXPECT_EQ(shown(node).st_mode, mode_t{S_IFDIR | 0555});
  EXPECT_EQ(shown(node, 0, {.uid = {}, .gid = {}, .umask = 0077}).st_mode, mode_t{S_IFDIR | 0500});
}

TEST(Attributes, OfAFileWithoutModeStayClosed) {
  Node node = a_node(NodeType::kFile);
  node.has_mode = false;
  node.permissions = 0;
  EXPECT_EQ(shown(node).st_mode, mode_t{S_IFREG});
}

TEST(Attributes, TakeOwnerAndUmaskOfTheMount) {
  const Ownership ownership{.uid = 5, .gid = 6, .umask = 0027};
  Node node = a_node(NodeType::kFile);
  node.permissions = 0777;
  const struct stat file = shown(node, 0, ownership);
  EXPECT_EQ(file.st_uid, 5U);
  EXPECT_EQ(file.st_gid, 6U);
  EXPECT_EQ(file.st_mode, mode_t{S_IFREG | 0750});
}

TEST(Attributes, TakeZeroForAnOwnerThatIsStated) {
  EXPECT_EQ(shown(a_node(NodeType::kFile), 0, {.uid = 0, .gid = 0}).st_uid, 0U);
  EXPECT_EQ(shown(a_node(NodeType::kFile), 0, {.uid = 0, .gid = 0}).st_gid, 0U);
}

class VirtualAttributes : public ::testing::Test {
 protected:
  VirtualAttributes() {
    node_.kind = VirtualNode::Kind::kDirectory;
    node_.inode = 7;
    node_.time = {1'600'000'000, 5};
  }
  struct stat shown(std::uint32_t generation = 0, const Ownership& ownership = {}) const {
    return attributes_of(node_, generation, ownership);
  }
  VirtualNode node_{};
};

TEST_F(VirtualAttributes, OfADirectoryBelongToTheUserWhoMounted) {
  const struct stat directory =
      shown(0, {.uid = {}, .gid = {}, .mounted_by_uid = 11, .mounted_by_gid = 12});
  EXPECT_EQ(directory.st_ino, 7U);
  EXPECT_EQ(directory.st_mode, mode_t{S_IFDIR | 0755});
  EXPECT_EQ(directory.st_uid, 11U);
  EXPECT_EQ(directory.st_gid, 12U);
  EXPECT_EQ(directory.st_mtim.tv_sec, 1'600'000'000);
}

TEST_F(VirtualAttributes, FollowUidGidAndUmask) {
  const struct stat directory =
      shown(0, {.uid = 1, .gid = 2, .umask = 0077, .mounted_by_uid = 11, .mounted_by_gid = 12});
  EXPECT_EQ(directory.st_uid, 1U);
  EXPECT_EQ(directory.st_gid, 2U);
  EXPECT_EQ(directory.st_mode, mode_t{S_IFDIR | 0700});
}

TEST_F(VirtualAttributes, OfADirectoryShowAnotherTimeInEveryGeneration) {
  EXPECT_NE(shown(1).st_mtim.tv_nsec, shown(2).st_mtim.tv_nsec);
  EXPECT_LT(shown(4'000'000'000U).st_mtim.tv_nsec, 1'000'000'000);
}

TEST_F(VirtualAttributes, OfASnapshotAndOfALinkShowTheirOwnTimeOnly) {
  for (const auto kind : {VirtualNode::Kind::kSnapshot, VirtualNode::Kind::kSymlink}) {
    node_.kind = kind;
    EXPECT_EQ(shown(1).st_mtim.tv_nsec, 5);
    EXPECT_EQ(shown(2).st_mtim.tv_nsec, 5);
  }
}

TEST_F(VirtualAttributes, OfALinkHaveTheLengthOfItsTarget) {
  node_.kind = VirtualNode::Kind::kSymlink;
  node_.target = "2026-09-01T03-00-05Z";
  EXPECT_EQ(shown().st_mode, mode_t{S_IFLNK | 0777});
  EXPECT_EQ(shown().st_size, 20);
}

}  // namespace
}  // namespace restree
