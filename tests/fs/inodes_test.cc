#include "fs/inodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

#include "fs/inode_numbers.h"

namespace restree {
namespace {

BlobId tree(int number) {
  BlobId id;
  id.bytes.fill(static_cast<std::byte>(number));
  return id;
}

constexpr std::uint64_t kTop = kVirtualBit | 5;  // a snapshot

class InodesTest : public ::testing::Test {
 protected:
  std::uint64_t add(std::uint64_t wanted, Place place) {
    return inodes_.remember(wanted, place, false, BlobId{});
  }
  std::uint64_t add_link(std::uint64_t wanted, Place place) {
    return inodes_.remember(wanted, place, true, BlobId{});
  }
  bool knows(std::uint64_t inode) const { return inodes_.find(inode).has_value(); }

  Inodes inodes_;
};

TEST_F(InodesTest, GivesTheWantedNumberAndRemembersThePlace) {
  EXPECT_EQ(inodes_.remember(100, {kTop, 3, 7}, false, tree(9)), 100U);
  const auto known = inodes_.find(100);
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->place.parent, kTop);
  EXPECT_EQ(known->place.position, 3U);
  EXPECT_EQ(known->place.view, 7U);
  EXPECT_EQ(known->subtree, tree(9));
}

TEST_F(InodesTest, FindsNoInodeThatWasNotRemembered) {
  EXPECT_FALSE(knows(100));
  inodes_.forget(100, 1);
  EXPECT_EQ(inodes_.size(), 0U);
}

TEST_F(InodesTest, ForgetsAsManyReferencesAsWereGiven) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(add(100, {kTop, 0, 0}), 100U);
  inodes_.forget(100, 2);
  EXPECT_TRUE(knows(100));
  inodes_.forget(100, 1);
  EXPECT_FALSE(knows(100));
  EXPECT_EQ(inodes_.size(), 0U);
}

TEST_F(InodesTest, AreNotConfusedByAKernelThatForgetsTooMuch) {
  add(100, {kTop, 0, 0});
  inodes_.forget(100, 1000);
  EXPECT_EQ(inodes_.size(), 0U);
  EXPECT_EQ(add(100, {kTop, 0, 0}), 100U);
}

TEST_F(InodesTest, KeepADirectoryWhileAnEntryOfItIsKnown) {
  inodes_.remember(100, {kTop, 0, 0}, false, tree(1));
  inodes_.remember(200, {100, 0, 0}, false, tree(2));
  add(300, {200, 0, 0});
  inodes_.forget(100, 1);
  inodes_.forget(200, 1);
  EXPECT_EQ(inodes_.find(100)->subtree, tree(1));
  EXPECT_EQ(inodes_.find(200)->subtree, tree(2));
  inodes_.forget(300, 1);
  EXPECT_EQ(inodes_.size(), 0U);
}

TEST_F(InodesTest, KeepADirectoryUntilTheLastOfItsEntriesGoes) {
  add(100, {kTop, 0, 0});
  for (std::uint32_t i = 0; i < 3; ++i) add(200 + i, {100, i, 0});
  inodes_.forget(100, 1);
  inodes_.forget(200, 1);
  inodes_.forget(202, 1);
  EXPECT_TRUE(knows(100));
  inodes_.forget(201, 1);
  EXPECT_EQ(inodes_.size(), 0U);
}

TEST_F(InodesTest, KeepADirectoryThatTheKernelStillKnows) {
  add(100, {kTop, 0, 0});
  add(200, {100, 0, 0});
  inodes_.forget(200, 1);
  EXPECT_TRUE(knows(100));
  EXPECT_EQ(inodes_.size(), 1U);
}

TEST_F(InodesTest, GiveAnotherNumberToAnotherEntryThatWantsTheSame) {
  std::set<std::uint64_t> given;
  for (std::uint32_t position = 0; position < 50; ++position) {
    const std::uint64_t inode = add(100, {kTop, position, 0});
    EXPECT_FALSE(is_virtual(inode));
    EXPECT_EQ(inodes_.find(inode)->place.position, position);
    given.insert(inode);
  }
  EXPECT_EQ(given.size(), 50U);
}

TEST_F(InodesTest, FindAnEntryAgainWhoseNumberWasTaken) {
  add(100, {kTop, 0, 0});
  const std::uint64_t moved = add(100, {kTop, 1, 0});
  EXPECT_EQ(add(100, {kTop, 1, 0}), moved);
  EXPECT_EQ(add(100, {kTop, 0, 0}), 100U);
  inodes_.forget(moved, 2);
  EXPECT_FALSE(knows(moved));
}

TEST_F(InodesTest, TellPlacesApartByParentPositionAndView) {
  std::set<std::uint64_t> given;
  for (const Place& place : {Place{kTop, 0, 0}, {kTop, 0, 1}, {kTop, 1, 0}, {kTop + 1, 0, 0}}) {
    given.insert(add(100, place));
  }
  EXPECT_EQ(given.size(), 4U);
}

TEST_F(InodesTest, NeverGiveANumberThatMeansSomethingElse) {
  for (std::uint32_t position = 0; position < 10; ++position) {
    EXPECT_GT(add(0, {kTop, position, 0}), 1U);
    EXPECT_GT(add(1, {kTop, position, 1}), 1U);
  }
}

TEST_F(InodesTest, GiveAllNamesOfALinkGroupOneNumber) {
  EXPECT_EQ(add_link(100, {kTop, 0, 0}), 100U);
  EXPECT_EQ(add_link(100, {kTop, 5, 0}), 100U);
  EXPECT_EQ(inodes_.find(100)->place.position, 0U);
  inodes_.forget(100, 1);
  EXPECT_TRUE(knows(100));
  inodes_.forget(100, 1);
  EXPECT_FALSE(knows(100));
}

TEST_F(InodesTest, KeepTheDirectoryThroughWhichALinkGroupIsRead) {
  add(10, {kTop, 0, 0});
  add(20, {kTop, 1, 0});
  add_link(100, {10, 0, 0});
  add_link(100, {20, 0, 0});
  inodes_.forget(10, 1);
  inodes_.forget(20, 1);
  EXPECT_TRUE(knows(10));
  EXPECT_FALSE(knows(20));
  inodes_.forget(100, 2);
  EXPECT_EQ(inodes_.size(), 0U);
}

TEST_F(InodesTest, NeverJoinALinkGroupToAnotherViewOrToAPlainEntry) {
  add(100, {kTop, 0, 0});
  const std::uint64_t group = add_link(100, {kTop, 1, 0});
  EXPECT_NE(group, 100U);
  EXPECT_NE(add_link(100, {kTop, 1, 1}), group);
  EXPECT_EQ(add_link(100, {kTop, 7, 0}), group);
}

TEST_F(InodesTest, AreSharedByManyThreads) {
  add(1000, {kTop, 0, 0});
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([this] {
        for (std::uint32_t i = 0; i < 500; ++i) {
          const std::uint64_t inode = add(2000 + i % 10, {1000, i % 10, 0});
          EXPECT_EQ(inodes_.find(inode)->place.position, i % 10);
          inodes_.forget(inode, 1);
        }
      });
    }
  }
  EXPECT_EQ(inodes_.size(), 1U);
  inodes_.forget(1000, 1);
  EXPECT_EQ(inodes_.size(), 0U);
}

TEST(InodeNumbers, OfADirectoryFollowTheOrderOfItsEntries) {
  for (const std::uint64_t directory : {std::uint64_t{77}, kVirtualBit | 3}) {
    for (std::uint32_t position = 0; position < 1000; ++position) {
      EXPECT_EQ(entry_inode(directory, position) + 1, entry_inode(directory, position + 1));
    }
  }
}

TEST(InodeNumbers, OfEntriesAreNeverThoseOfWhatLiesAbove) {
  for (std::uint64_t directory = 0; directory < 1000; ++directory) {
    for (const std::uint32_t position : {0U, 1U, 0xfffffU, 0x100000U, 0xffffffffU}) {
      EXPECT_FALSE(is_virtual(entry_inode(directory, position)));
    }
    EXPECT_TRUE(is_virtual(virtual_inode(directory, "name")));
  }
}

TEST(InodeNumbers, OfManyDirectoriesDiffer) {
  std::set<std::uint64_t> numbers;
  for (std::uint64_t directory = 2; directory < 2000; ++directory) {
    for (std::uint32_t position = 0; position < 10; ++position) {
      numbers.insert(entry_inode(directory, position));
    }
  }
  EXPECT_EQ(numbers.size(), 1998U * 10);
}

}  // namespace
}  // namespace restree
