// Which blobs count as lost, and which paths need them.
#include "repo/checker/hit_trees.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/checker/checker.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::file_node;
using testing::folder_node;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class Silent final : public CheckListener {
 public:
  void error(const std::string&) override {}
  void hint(const std::string&) override {}
  void detail(const std::string&) override {}
};

class HitTreesTest : public ::testing::Test {
 protected:
  testing::RepositoryBuilder& builder() { return files_.builder(); }
  void damage(const BlobId& blob) { files_.damage(builder().pack_names_of(blob).front()); }
  // Checks everything, and then looks for what is hit below these trees.
  void look(const std::vector<BlobId>& roots) {
    builder().finish();
    repository_ = value_of(files_.try_open());
    checker_ = std::make_unique<Checker>(*repository_, silent_, BulkOptions());
    ASSERT_OK(checker_->load_index());
    ASSERT_OK(checker_->check_packs());
    ASSERT_OK(checker_->check_trees(roots, false));
    ASSERT_OK(checker_->read_packs(checker_->choose({})));
    trees_ = std::make_unique<HitTrees>(*repository_, checker_->damage(), BulkOptions());
    ASSERT_OK(trees_->walk(roots));
  }
  std::vector<std::string> hit(const BlobId& root, std::size_t most = 100) {
    return value_of(trees_->list(root, most));
  }

  MemoryRepository files_;
  Silent silent_;
  std::unique_ptr<Repository> repository_;
  std::unique_ptr<Checker> checker_;
  std::unique_ptr<HitTrees> trees_;
};

// Fills most of its pack, so that damage() hits this blob.
std::string content(char letter) { return std::string(500, letter); }

TEST_F(HitTreesTest, ASoundRepositoryHasNone) {
  const BlobId root = builder().add_tree({file_node("f", {builder().add_data("x")}, 1)});
  look({root});
  EXPECT_EQ(trees_->hits(root), 0U);
  EXPECT_THAT(hit(root), IsEmpty());
  EXPECT_THAT(checker_->damage().packs(), IsEmpty());
  EXPECT_EQ(checker_->damage().lost_count(), 0U);
}

TEST_F(HitTreesTest, EveryPathThatNeedsALostBlobIsNamedInFull) {
  const BlobId good = builder().add_data("good");
  const BlobId bad = builder().add_data(content('b'));
  const BlobId deep =
      builder().add_tree({file_node("g", {good}, 4), file_node("h", {good, bad}, 9)});
  const BlobId root = builder().add_tree(
      {file_node("a", {bad}, 500), folder_node("d", deep), folder_node("e", deep)});
  damage(bad);
  look({root, deep});
  EXPECT_EQ(trees_->hits(root), 3U);
  EXPECT_THAT(hit(root), ElementsAre("/a", "/d/h", "/e/h"));
  EXPECT_THAT(hit(root, 2), ElementsAre("/a", "/d/h"));
  EXPECT_THAT(hit(deep), ElementsAre("/h"));
  EXPECT_THAT(checker_->damage().lost(10), SizeIs(1));
}

TEST_F(HitTreesTest, AFolderWhoseTreeIsLostIsOnePath) {
  const BlobId lost =
      builder().add_tree({file_node("f", {builder().add_data("x")}, 1), file_node("g", {}, 0)});
  const BlobId root = builder().add_tree({folder_node("d", lost), folder_node("e", lost)});
  files_.remove_packs_of(lost);
  look({root, lost});
  EXPECT_THAT(hit(root), ElementsAre("/d/", "/e/"));
  EXPECT_THAT(hit(lost), ElementsAre("/"));
}

TEST_F(HitTreesTest, ABlobThatAnotherPackHasIsNotLost) {
  const BlobId twice = builder().add_data(content('t'));
  builder().add_data(content('t'));
  const BlobId root = builder().add_tree({file_node("f", {twice}, 500)});
  damage(twice);
  look({root});
  EXPECT_THAT(hit(root), IsEmpty());
  EXPECT_THAT(checker_->damage().packs(), SizeIs(1));
  EXPECT_EQ(checker_->damage().lost_count(), 0U);
  files_.remove(builder().pack_names_of(twice).back());
  look({root});
  EXPECT_THAT(hit(root), ElementsAre("/f"));
  EXPECT_THAT(checker_->damage().packs(), SizeIs(2));
  EXPECT_EQ(checker_->damage().lost_count(), 1U);
}

TEST_F(HitTreesTest, ABlobInNoIndexIsMissedAndNotYetLost) {
  BlobId unknown;
  unknown.bytes.fill(std::byte{7});
  const BlobId root = builder().add_tree({file_node("f", {unknown}, 5)});
  look({root});
  EXPECT_THAT(hit(root), ElementsAre("/f"));
  EXPECT_EQ(checker_->damage().lost_count(), 0U);
  EXPECT_THAT(checker_->damage().unknown(), ElementsAre(std::pair(BlobType::kData, unknown)));
}

TEST_F(HitTreesTest, ManyPathsAreCountedWithoutBeingListed) {
  const BlobId bad = builder().add_data(content('b'));
  BlobId tree = builder().add_tree({file_node("f", {bad}, 500)});
  // 2^70 paths.
  for (int i = 0; i < 70; ++i) {
    tree = builder().add_tree({folder_node("a", tree), folder_node("b", tree)});
  }
  damage(bad);
  look({tree});
  EXPECT_EQ(trees_->hits(tree), UINT64_MAX);
  EXPECT_THAT(hit(tree, 3), SizeIs(3));
}

}  // namespace
}  // namespace restree
