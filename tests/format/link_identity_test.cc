#include "repo/format/link_identity.h"

#include <gtest/gtest.h>

#include <array>

namespace restree {
namespace {

class LinkIdentityTest : public ::testing::Test {
 protected:
  LinkIdentityTest() {
    blobs_[1].bytes[0] = std::byte{1};
    node_.type = NodeType::kFile;
    node_.device_id = 3;
    node_.inode = 5;
    node_.links = 2;
    node_.size = 7;
    node_.content = std::span(blobs_).first(1);
  }
  std::optional<LinkIdentity> identity() const { return LinkIdentity::of(node_); }

  std::array<BlobId, 2> blobs_{};
  Node node_{};
};

TEST_F(LinkIdentityTest, NamesOfOneFileAreEqualWhateverTheyAreCalled) {
  const auto first = identity();
  node_.name = "another";
  node_.links = 3;  // one more was made between the looks at both
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(identity(), first);
}

TEST_F(LinkIdentityTest, EachOfItsPartsTellsFilesApart) {
  const auto first = identity();
  const auto expect_other = [&](auto change) {
    const Node before = node_;
    change();
    EXPECT_NE(identity(), first);
    EXPECT_TRUE(identity().has_value());
    node_ = before;
  };
  expect_other([&] { node_.device_id = 4; });
  expect_other([&] { node_.inode = 6; });
  expect_other([&] { node_.size = 8; });
  expect_other([&] { node_.type = NodeType::kSymlink; });
  expect_other([&] { node_.content = std::span(blobs_).last(1); });
  expect_other([&] { node_.content = blobs_; });
}

TEST_F(LinkIdentityTest, AnOnlyNameAMissingNumberAndADirectoryAreNotLinks) {
  for (const std::uint64_t links : {0U, 1U}) {
    node_.links = links;
    EXPECT_FALSE(identity().has_value()) << links;
  }
  node_.links = 2;
  node_.inode = 0;
  EXPECT_FALSE(identity().has_value());
  node_.inode = 5;
  node_.type = NodeType::kDirectory;
  EXPECT_FALSE(identity().has_value());
}

}  // namespace
}  // namespace restree
