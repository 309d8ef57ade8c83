#include "fs/known_nodes.h"

#include <gtest/gtest.h>

namespace restree {
namespace {

VirtualNode link(std::uint64_t inode, const std::string& target) {
  VirtualNode node{};
  node.kind = VirtualNode::Kind::kSymlink;
  node.inode = inode;
  node.target = target;
  return node;
}

TEST(KnownNodes, AreKeptUntilTheKernelHasForgottenEveryReference) {
  KnownNodes nodes;
  nodes.remember(link(1, "a"));
  nodes.remember(link(1, "a"));
  nodes.remember(link(2, "b"));
  nodes.forget(1, 1);
  ASSERT_NE(nodes.find(1), nullptr);
  EXPECT_EQ(nodes.find(1)->target, "a");
  nodes.forget(1, 1);
  EXPECT_EQ(nodes.find(1), nullptr);
  EXPECT_NE(nodes.find(2), nullptr);
  nodes.forget(2, 5);
  nodes.forget(3, 1);
  EXPECT_EQ(nodes.size(), 0U);
}

TEST(KnownNodes, AreAsTheyWereShownLast) {
  KnownNodes nodes;
  nodes.remember(link(1, "a"));
  nodes.remember(link(1, "b"));
  EXPECT_EQ(nodes.find(1)->target, "b");
}

TEST(KnownNodes, HaveNoDirectoriesAboveTheSnapshots) {
  KnownNodes nodes;
  VirtualNode directory{};
  directory.kind = VirtualNode::Kind::kDirectory;
  directory.inode = 1;
  nodes.remember(directory);
  EXPECT_EQ(nodes.size(), 0U);
}

}  // namespace
}  // namespace restree
