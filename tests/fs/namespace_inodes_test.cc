// The inodes of a namespace: unique, and the same when the namespace is built again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fs/namespace.h"
#include "tests/fs/built_namespace.h"

namespace restree {
namespace {

using testing::snapshot;
using testing::Snapshots;
using testing::Space;

TEST(VirtualInodes, AreTheSameHoweverOftenTheNamespaceIsBuilt) {
  const auto a = snapshot({.id = "a"});
  const auto b = snapshot({.time = "2026-09-02T03:00:05Z", .tags = {"app=x"}});
  const Space before({a});
  const Space after({b, a});
  before.space->for_each([&](const VirtualNode& node) {
    if (node.kind == VirtualNode::Kind::kSymlink) return;
    const VirtualNode* same = after.space->find(node.inode);
    ASSERT_NE(same, nullptr) << node.path;
    EXPECT_EQ(same->path, node.path);
    EXPECT_EQ(same->snapshot, node.snapshot);
  });
}

TEST(VirtualInodes, AreUniqueAndLeadBackToTheirParents) {
  Snapshots list;
  for (int i = 0; i < 200; ++i) {
    list.push_back(snapshot({.tags = {"app=" + std::to_string(i % 7), "t", "t" + std::to_string(i)},
                             .hostname = "host " + std::to_string(i % 3),
                             .id = std::to_string(i)}));
  }
  const Space space(list);
  std::set<std::uint64_t> inodes;
  std::size_t children = 0;
  space.space->for_each([&](const VirtualNode& node) {
    EXPECT_TRUE(inodes.insert(node.inode).second);
    EXPECT_EQ(space.space->find(node.inode), &node);
    for (const auto& [name, inode] : node.children) {
      ++children;
      ASSERT_NE(space.space->find(inode), nullptr);
      EXPECT_EQ(space.space->find(inode)->parent, node.inode);
    }
  });
  EXPECT_EQ(children + 1, inodes.size());  // every node but the root is someone's child, once
}

TEST(VirtualInodes, OfASnapshotFollowItWhenItsNameChanges) {
  const auto a = snapshot({.id = "a"});
  const auto b = snapshot({.id = "b"});
  const auto& first = a->id < b->id ? a : b;
  const auto& second = a->id < b->id ? b : a;
  const Space both({first, second});
  const Space one({second});
  EXPECT_EQ(both.at({"snapshots", "2026-09-01T03-00-05Z-1"})->inode,
            one.at({"snapshots", "2026-09-01T03-00-05Z"})->inode);
}

TEST(VirtualInodes, OfASnapshotStayWhenItsTagsChange) {
  Snapshot before = *snapshot({.tags = {"app=wiki", "t"}});
  before.tree = BlobId{{std::byte{1}}};
  Snapshot tagged = *snapshot({.tags = {"app=wiki", "t", "kept"}});
  tagged.tree = before.tree;
  tagged.original = before.id;
  ASSERT_NE(tagged.id, before.id);
  const std::string time = "2026-09-01T03-00-05Z";
  const auto inodes = [&](const Snapshot& shown) {
    const Space space({std::make_shared<const Snapshot>(shown)});
    return std::vector<std::uint64_t>{
        space.at({"apps", "wiki", time})->inode, space.at({"snapshots", time})->inode,
        space.at({"hosts", "nas", time})->inode, space.at({"tags", "t", time})->inode,
        space.at({"ids", shown.id.short_hex()})->inode};
  };
  EXPECT_EQ(inodes(before), inodes(tagged));
  // A rewritten snapshot shows another tree.
  tagged.tree = BlobId{{std::byte{2}}};
  EXPECT_NE(inodes(before), inodes(tagged));
  tagged.tree = before.tree;
  tagged.paths = {"/srv"};
  EXPECT_NE(inodes(before), inodes(tagged));
}

TEST(VirtualInodes, OfAnAppFollowItWhenAnotherOneGetsItsName) {
  const auto wiki = snapshot({.paths = {"/srv/wiki/data"}});
  const auto forge = snapshot({.paths = {"/srv/forge/data"}});
  const Space alone({wiki});
  const Space both({wiki, forge});
  const Space other({forge});
  const std::uint64_t inode = alone.at({"apps", "data"})->inode;
  EXPECT_EQ(both.at({"apps", "data@nas+srv+wiki"})->inode, inode);
  EXPECT_NE(other.at({"apps", "data"})->inode, inode);
  const std::string time = "2026-09-01T03-00-05Z";
  EXPECT_EQ(both.at({"apps", "data@nas+srv+wiki", time})->inode,
            alone.at({"apps", "data", time})->inode);
}

TEST(VirtualInodes, OfASnapshotAndItsCopyUnderOtherTagsDiffer) {
  const auto before = snapshot({});
  Snapshot copy = *snapshot({.tags = {"kept"}});
  copy.original = before->id;
  const Space space({before, std::make_shared<const Snapshot>(copy)});
  EXPECT_NE(space.at({"ids", before->id.short_hex()})->inode,
            space.at({"ids", copy.id.short_hex()})->inode);
}

}  // namespace
}  // namespace restree
