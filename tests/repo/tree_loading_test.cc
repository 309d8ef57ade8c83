#include "repo/tree_loading.h"

#include <gmock/gmock.h>

#include <chrono>
#include <string>

#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing::value_of;

class TreeLoading : public ::testing::Test {
 protected:
  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

  testing::MemoryBlobs blobs_;
  const BlobId good_ = blobs_.add(R"({"nodes":[{"name":"f","type":"file"}]})");
  const BlobId broken_ = blobs_.add("{\"nodes\":");
  const BlobId partial_ =
      blobs_.add(R"({"nodes":[{"name":"..","type":"file"},{"name":"f","type":"file"}]})");
};

TEST_F(TreeLoading, LoadsAndParses) {
  EXPECT_NE(value_of(load_tree(blobs_, good_, soon()))->find("f"), nullptr);
  EXPECT_NE(value_of(load_whole_tree(blobs_, good_, soon()))->find("f"), nullptr);
}

TEST_F(TreeLoading, NamesTheTreeThatIsNotOne) {
  const Result<SharedTree> tree = load_tree(blobs_, broken_, soon());
  ASSERT_THAT(tree, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(tree.error().message(), HasSubstr("tree " + broken_.hex() + ": "));
}

TEST_F(TreeLoading, LeavesOutNodesThatTheParserRefuses) {
  const SharedTree tree = value_of(load_tree(blobs_, partial_, soon()));
  EXPECT_THAT(tree->nodes(), SizeIs(1));
  EXPECT_THAT(tree->refused(), SizeIs(1));
}

TEST_F(TreeLoading, FailsOverARefusedNodeIfTheTreeMustBeWhole) {
  const Result<SharedTree> tree = load_whole_tree(blobs_, partial_, soon());
  ASSERT_THAT(tree, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(tree.error().message(), HasSubstr("tree " + partial_.hex() + ": "));
}

TEST_F(TreeLoading, PassesByANodeOfUnknownTypeInATreeThatMustBeWhole) {
  const BlobId odd =
      blobs_.add(R"({"nodes":[{"name":"f","type":"file"},{"name":"o","type":"whiteout"}]})");
  EXPECT_NE(value_of(load_whole_tree(blobs_, odd, soon()))->find("f"), nullptr);
}

TEST_F(TreeLoading, LoadsTheStandInOfATreeOnce) {
  const auto around = [&](const BlobId& id) {
    return blobs_.add(R"({"nodes":[{"name":"/","type":"dir","subtree":")" + id.hex() + "\"}]}");
  };
  const BlobId root = around(good_);
  EXPECT_NE(value_of(load_tree(blobs_, root, soon()))->find("f"), nullptr);
  EXPECT_NE(value_of(load_whole_tree(blobs_, root, soon()))->find("f"), nullptr);
  EXPECT_EQ(value_of(find_root(blobs_, root, soon())), good_);
  EXPECT_EQ(value_of(find_root(blobs_, good_, soon())), good_);
  EXPECT_EQ(value_of(load_tree(blobs_, around(root), soon()))->find("f"), nullptr);
}

TEST_F(TreeLoading, PassesOnTheErrorOfTheSource) {
  blobs_.fail(good_, Error(ErrorKind::kUnavailable, "away"));
  EXPECT_THAT(load_tree(blobs_, good_, soon()), FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree
