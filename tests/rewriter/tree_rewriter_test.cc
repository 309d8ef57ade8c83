#include "repo/rewriter/tree_rewriter.h"

#include <gmock/gmock.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;
using testing::value_of;

BlobId id_of(const std::string& json) { return BlobId{sha256(as_bytes(json))}; }
BlobId tree_id(const std::vector<std::string>& nodes) {
  std::string json;
  for (const std::string& node : nodes) json += (json.empty() ? "" : ",") + node;
  return id_of(R"({"nodes":[)" + json + "]}\n");
}

std::unique_ptr<TreeRules> excluding(const std::vector<std::string>& patterns) {
  return std::make_unique<ExcludeRules>(
      value_of(PatternFilter::make({.patterns = patterns}, "exclude")));
}
std::unique_ptr<TreeRules> including(const std::vector<std::string>& patterns) {
  return std::make_unique<IncludeRules>(
      value_of(PatternFilter::make({.patterns = patterns}, "include")));
}

class TreeRewriterTest : public ::testing::Test {
 protected:
  testing::RepositoryBuilder& builder() { return memory_.builder(); }
  static std::string file(const std::string& name, std::uint64_t size = 1) {
    return file_node(name, {}, size);
  }
  // All roots, with one rewriter.
  std::vector<RewrittenTree> rewrite(const std::vector<BlobId>& roots, const TreeRules& rules,
                                     Repeated repeated = Repeated::kKnown) {
    builder().finish();
    const auto repository = memory_.open();
    TreesAhead trees(*repository, {.patience = std::chrono::seconds(60)});
    TreeRewriter rewriter(
        trees, rules,
        [this](std::string_view json) -> Result<BlobId> {
          saved_.emplace_back(json);
          return id_of(saved_.back());
        },
        [this](NodeRemark remark, const std::string& path, const std::string&) {
          remarks_.emplace_back(remark, path);
        },
        repeated);
    std::vector<RewrittenTree> all;
    for (const BlobId& root : roots) all.push_back(value_of(rewriter.rewrite(root)));
    return all;
  }
  RewrittenTree rewrite(const BlobId& root, const std::unique_ptr<TreeRules>& rules) {
    return rewrite(std::vector<BlobId>{root}, *rules).front();
  }
  Error failure(const BlobId& root, const TreeRules& rules) {
    builder().finish();
    const auto repository = memory_.open();
    TreesAhead trees(*repository, {.patience = std::chrono::seconds(60)});
    TreeRewriter rewriter(trees, rules, {}, {});
    return rewriter.rewrite(root).error();
  }

  testing::MemoryRepository memory_;
  std::vector<std::string> saved_;
  std::vector<std::pair<NodeRemark, std::string>> remarks_;
};

TEST_F(TreeRewriterTest, ATreeInWhichNothingChangesStaysAndIsCounted) {
  const BlobId below = builder().add_tree({file("f", 5), file("g", 6)});
  const BlobId root = builder().add_tree({folder_node("d", below), file("h", 7)});
  const RewrittenTree tree = rewrite(root, excluding({"nothing"}));
  EXPECT_EQ(tree.id, root);
  EXPECT_EQ(tree.files, 3U);
  EXPECT_EQ(tree.bytes, 18U);
  EXPECT_THAT(saved_, IsEmpty());
}

TEST_F(TreeRewriterTest, AFolderNamesItsNewTreeAndIsTheSameOtherwise) {
  const std::string more = R"(,"mode":2147484141,"of tomorrow":{"x":[1]})";
  const BlobId below = builder().add_tree({file("f", 5), file("secret", 6)});
  const BlobId beside = builder().add_tree({file("x", 1)});
  const BlobId root =
      builder().add_tree({folder_node("a", beside), folder_node("d", below, more), file("h", 7)});
  const RewrittenTree tree = rewrite(root, excluding({"secret"}));
  const BlobId new_below = tree_id({file("f", 5)});
  EXPECT_EQ(tree.id,
            tree_id({folder_node("a", beside), folder_node("d", new_below, more), file("h", 7)}));
  EXPECT_EQ(tree.files, 3U);
  EXPECT_EQ(tree.bytes, 13U);
  EXPECT_THAT(saved_, SizeIs(2)) << "the tree below, and the root";
  EXPECT_THAT(remarks_, ElementsAre(std::pair(NodeRemark::kExcluded, "/d/secret")));
}

TEST_F(TreeRewriterTest, TheTreesOfExcludedFoldersAreNotRead) {
  const BlobId below = builder().add(BlobType::kTree, "no tree");
  const BlobId root = builder().add_tree({folder_node("d", below), file("h", 7)});
  EXPECT_EQ(rewrite(root, excluding({"/d"})).id, tree_id({file("h", 7)}));
}

TEST_F(TreeRewriterTest, ExcludingAllLeavesAnEmptyTree) {
  const BlobId root = builder().add_tree({file("a"), file("b")});
  EXPECT_EQ(rewrite(root, excluding({"*"})).id, id_of(std::string(kEmptyTree)));
}

TEST_F(TreeRewriterTest, IncludingLeavesTheFoldersOnTheWay) {
  const BlobId empty = builder().add_tree({});
  const BlobId deep = builder().add_tree({file("wanted"), file("y")});
  const BlobId d = builder().add_tree({folder_node("deep", deep), file("z")});
  const BlobId root = builder().add_tree({folder_node("d", d), folder_node("e", empty)});
  const BlobId new_deep = tree_id({file("wanted")});
  EXPECT_EQ(rewrite(root, including({"wanted"})).id,
            tree_id({folder_node("d", tree_id({folder_node("deep", new_deep)}))}));
  EXPECT_EQ(rewrite(root, including({"/e"})).id, tree_id({folder_node("e", empty)}));
  EXPECT_EQ(rewrite(root, including({"nothing"})).id, std::nullopt);
}

TEST_F(TreeRewriterTest, ATreeIsReadOnceHoweverManySnapshotsHaveIt) {
  const BlobId shared = builder().add_tree({file("f", 5), file("secret", 6)});
  std::vector<BlobId> roots;
  for (const std::string name : {"a", "b", "c"}) {
    roots.push_back(builder().add_tree({folder_node("d", shared), file("e" + name, 7)}));
  }
  builder().finish();
  const FileName pack = builder().pack_names_of(shared).front();
  const auto reads = std::make_shared<Guarded<int>>();
  memory_.storage().watch([reads, pack](const FileName& file) -> Status {
    if (file.name == pack.name) ++*reads->lock();
    return {};
  });
  const auto trees = rewrite(roots, *excluding({"secret"}));
  EXPECT_EQ(*reads->lock(), 1);
  const BlobId below = tree_id({file("f", 5)});
  EXPECT_EQ(trees[2].id, tree_id({folder_node("d", below), file("ec", 7)}));
  EXPECT_EQ(trees[2].files, 2U);
  EXPECT_THAT(remarks_, SizeIs(1));
  remarks_.clear();
  rewrite(roots, *excluding({"secret"}), Repeated::kWalkedAgain);
  EXPECT_THAT(remarks_, SizeIs(3)) << "one for each snapshot";
}

TEST_F(TreeRewriterTest, TheSameTreeAtAnotherPathIsJudgedThere) {
  const BlobId shared = builder().add_tree({file("f")});
  const BlobId root = builder().add_tree({folder_node("a", shared), folder_node("b", shared)});
  EXPECT_EQ(rewrite(root, excluding({"/b/f"})).id,
            tree_id({folder_node("a", shared), folder_node("b", id_of(std::string(kEmptyTree)))}));
}

TEST_F(TreeRewriterTest, TheFirstResticsFolderCalledSlashIsNoStepOfThePath) {
  const BlobId below = builder().add_tree({file("f"), file("g")});
  const BlobId root = builder().add_tree({folder_node("/", below)});
  EXPECT_EQ(rewrite(root, excluding({"/f"})).id, tree_id({folder_node("/", tree_id({file("g")}))}));
}

TEST_F(TreeRewriterTest, ATreeThatCannotBeReadEndsIt) {
  const BlobId lost = builder().add_tree({file("f")});
  const BlobId root = builder().add_tree({folder_node("d", lost)});
  builder().finish();
  memory_.remove_packs_of(lost);
  const Error why = failure(root, *excluding({"x"}));
  EXPECT_EQ(why.kind(), ErrorKind::kCorrupt);
  EXPECT_THAT(why.message(), HasSubstr(lost.hex()));
  const BlobId odd = builder().add_tree({R"({"name":"d","type":"dir","content":null})"});
  EXPECT_THAT(failure(odd, *excluding({"x"})).message(), HasSubstr("/d has no subtree"));
  const BlobId nameless = builder().add_tree({R"({"name":"\\q","type":"file"})"});
  EXPECT_THAT(failure(nameless, *excluding({"x"})).message(), HasSubstr("without a name"));
}

TEST_F(TreeRewriterTest, RepairPutsAnEmptyFolderInThePlaceOfOneThatCannotBeRead) {
  const RepairRules rules([](const BlobId&) { return std::optional<std::uint32_t>(1); });
  const BlobId lost = builder().add_tree({file("f", 0)});
  const BlobId root = builder().add_tree({folder_node("d", lost), folder_node("e", lost),
                                          R"({"name":"f","type":"dir","content":null})"});
  builder().finish();
  memory_.remove_packs_of(lost);
  const auto trees = rewrite({root, lost}, rules);
  const BlobId empty = id_of(std::string(kEmptyTree));
  EXPECT_EQ(trees[0].id, tree_id({folder_node("d", empty), folder_node("e", empty),
                                  R"({"name":"f","type":"dir","content":null,"subtree":")" +
                                      empty.hex() + "\"}"}));
  EXPECT_EQ(trees[1].id, std::nullopt);
  EXPECT_THAT(remarks_, ElementsAre(std::pair(NodeRemark::kFolderEmptied, "/d"),
                                    std::pair(NodeRemark::kFolderEmptied, "/e"),
                                    std::pair(NodeRemark::kFolderEmptied, "/f"),
                                    std::pair(NodeRemark::kRootNotReadable, "/")));
}

TEST_F(TreeRewriterTest, AStorageThatIsAwayIsNoDamage) {
  const RepairRules rules([](const BlobId&) { return std::optional<std::uint32_t>(1); });
  const BlobId below = builder().add_tree({file("f", 0)});
  const BlobId root = builder().add_tree({folder_node("d", below)});
  builder().finish();
  const FileName pack = builder().pack_names_of(below).front();
  memory_.storage().watch([pack](const FileName& file) -> Status {
    if (file.name != pack.name) return {};
    return Error(ErrorKind::kUnavailable, "the server is away");
  });
  EXPECT_EQ(failure(root, rules).kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace restree
