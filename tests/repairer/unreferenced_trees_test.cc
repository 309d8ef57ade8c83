#include "repo/repairer/unreferenced_trees.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::file_node;
using testing::folder_node;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using testing::value_of;

class UnreferencedTrees : public ::testing::Test {
 protected:
  testing::RepositoryBuilder& builder() { return memory_.builder(); }
  BlobId tree(const std::string& file) { return builder().add_tree({file_node(file, {}, 0)}); }
  Result<std::vector<BlobId>> find(const std::vector<BlobId>& in_use) {
    builder().finish();
    // Without its index, as after a repair.
    const auto repository = value_of(memory_.try_open());
    TreeSearchOptions options;
    options.bulk.stop = stop_.get_token();
    options.on_begin = [this](std::size_t trees) { trees_ = trees; };
    options.on_read = [this] { ++*read_.lock(); };
    options.on_unreadable = [this](const BlobId& id, const Error&) {
      unreadable_.lock()->push_back(id);
    };
    return find_unreferenced_trees(*repository, in_use, options);
  }

  testing::MemoryRepository memory_;
  std::stop_source stop_;
  std::size_t trees_ = 0;
  Guarded<std::size_t> read_;
  Guarded<std::vector<BlobId>> unreadable_;
};

TEST_F(UnreferencedTrees, AreThoseThatNoSnapshotAndNoTreeRefersTo) {
  const BlobId below = tree("below");
  const BlobId used = builder().add_tree({folder_node("d", below)});
  const BlobId shared = tree("shared");
  const BlobId a = builder().add_tree({folder_node("a", shared)});
  const BlobId b = builder().add_tree({folder_node("b", shared), folder_node("c", below)});
  EXPECT_THAT(value_of(find({used})), UnorderedElementsAre(a, b));
  EXPECT_THAT(value_of(find({used, a, b})), IsEmpty());
  EXPECT_EQ(trees_, 5U);
  EXPECT_EQ(*read_.lock(), 10U) << "twice all of them";
}

TEST_F(UnreferencedTrees, AreInOrder) {
  std::vector<BlobId> all;
  for (const std::string name : {"a", "b", "c", "d", "e", "f"}) all.push_back(tree(name));
  std::ranges::sort(all);
  EXPECT_EQ(value_of(find({})), all);
}

TEST_F(UnreferencedTrees, ATreeThatCannotBeReadIsNone) {
  const BlobId good = tree("good");
  const BlobId lost = tree("lost");
  const BlobId no_tree = builder().add(BlobType::kTree, "no tree");
  builder().finish();
  memory_.remove_packs_of(lost);
  EXPECT_THAT(value_of(find({})), ElementsAre(good));
  EXPECT_THAT(*unreadable_.lock(), UnorderedElementsAre(lost, no_tree));
}

TEST_F(UnreferencedTrees, AStorageThatIsAwayIsAnError) {
  const BlobId one = tree("one");
  builder().finish();
  const FileName pack = builder().pack_names_of(one).front();
  memory_.storage().watch([pack](const FileName& file) -> Status {
    if (file.name != pack.name) return {};
    return Error(ErrorKind::kUnavailable, "the server is away");
  });
  EXPECT_THAT(find({}), FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree
