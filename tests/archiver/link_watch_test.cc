#include "repo/archiver/link_watch.h"

#include <gtest/gtest.h>

namespace restree {
namespace {

LinkIdentity identity_of(std::uint64_t inode, std::byte content, std::uint64_t size = 1) {
  LinkIdentity identity{
      .device = 3, .inode = inode, .size = size, .type = NodeType::kFile, .content = {}};
  identity.content[0] = content;
  return identity;
}

TEST(LinkWatchTest, EveryNameOfAFileAgreesWithTheFirst) {
  LinkWatch watch;
  EXPECT_TRUE(watch.agrees(identity_of(5, std::byte{1})));
  EXPECT_TRUE(watch.agrees(identity_of(5, std::byte{1})));
  EXPECT_TRUE(watch.agrees(identity_of(6, std::byte{2})));
}

TEST(LinkWatchTest, OtherContentUnderTheSameNumberDoesNotAgreeHoweverOftenItComes) {
  LinkWatch watch;
  EXPECT_TRUE(watch.agrees(identity_of(5, std::byte{1})));
  EXPECT_FALSE(watch.agrees(identity_of(5, std::byte{2})));
  EXPECT_FALSE(watch.agrees(identity_of(5, std::byte{2})));
  EXPECT_FALSE(watch.agrees(identity_of(5, std::byte{1}, 2)));
  EXPECT_TRUE(watch.agrees(identity_of(5, std::byte{1})));
}

TEST(LinkWatchTest, NumbersBeyondTheMostAreNotLookedAt) {
  LinkWatch watch;
  for (std::uint64_t inode = 1; inode <= LinkWatch::kMostNumbers; ++inode) {
    ASSERT_TRUE(watch.agrees(identity_of(inode, std::byte{1})));
  }
  const std::uint64_t beyond = LinkWatch::kMostNumbers + 1;
  EXPECT_TRUE(watch.agrees(identity_of(beyond, std::byte{1})));
  EXPECT_TRUE(watch.agrees(identity_of(beyond, std::byte{2})));
  EXPECT_FALSE(watch.agrees(identity_of(1, std::byte{2})));
}

}  // namespace
}  // namespace restree
