#include "repo/rewriter/recovered_tree.h"

#include <gmock/gmock.h>

#include <string>

#include "repo/format/tree.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using testing::value_of;

BlobId blob(const std::string& beginning, char rest = '0') {
  return *BlobId::parse(beginning + std::string(64 - beginning.size(), rest));
}

TEST(RecoveredTree, HasAFolderForEachTreeInTheOrderOfNames) {
  const std::string json = value_of(write_recovered_tree(
      {{.found = blob("cc"), .tree = blob("1")}, {.found = blob("aa"), .tree = blob("2")}},
      {.seconds = 1'700'000'000}));
  const auto tree = value_of(Tree::parse(as_bytes(json)));
  ASSERT_EQ(tree->nodes().size(), 2U);
  EXPECT_THAT(tree->odd(), ElementsAre()) << "in order";
  const Node& first = tree->nodes()[0];
  EXPECT_EQ(first.name, "aa000000");
  EXPECT_THAT(first.subtree, Optional(blob("2")));
  EXPECT_EQ(first.type, NodeType::kDirectory);
  EXPECT_EQ(first.permissions, 0755);
  EXPECT_EQ(first.mtime.seconds, 1'700'000'000);
  EXPECT_EQ(first.ctime, first.mtime);
  EXPECT_EQ(tree->nodes()[1].name, "cc000000");
}

// restic has no snapshot for these.
TEST(RecoveredTree, FoldersWhoseShortIdsAreTheSameHaveTheWholeOnes) {
  const std::vector<RecoveredTree> trees{{.found = blob("12345678", '0'), .tree = blob("1")},
                                         {.found = blob("12345678", '1'), .tree = blob("2")},
                                         {.found = blob("3"), .tree = blob("3")}};
  EXPECT_THAT(recovered_names(trees),
              ElementsAre(trees[0].found.hex(), trees[1].found.hex(), "30000000"));
  EXPECT_OK(write_recovered_tree(trees, {}));
}

}  // namespace
}  // namespace restree
