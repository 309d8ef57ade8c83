// What others do to a repository while a prune has only a shared lock.
#include <functional>

#include "tests/pruner/pruned_repository.h"

namespace restree::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;

class PruneBesideOthers : public PrunedRepository {
 protected:
  PruneBesideOthers() {
    is_beside_others_ = true;
    fill();
  }
  // Prunes; `meanwhile` happens once everything is copied and before the exclusive lock is there.
  Status prune_while(const std::function<void()>& meanwhile) {
    const auto repository = open_at(shared());
    Pruner pruner(*repository, options_);
    RETURN_IF_ERROR(prepare(pruner));
    RETURN_IF_ERROR(pruner.copy(said_));
    meanwhile();
    RETURN_IF_ERROR(pruner.look_again());
    return pruner.remove(said_);
  }
  void expect_pruned(std::size_t blobs) {
    EXPECT_OK(prune());
    EXPECT_EQ(damage_of(shared()), "");
    EXPECT_EQ(blob_count(), blobs);
  }
};

TEST_F(PruneBesideOthers, DoesTheSameIfNothingHappens) {
  EXPECT_OK(prune());
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_EQ(blob_count(), 4) << "three of data, and a tree";
}

// A backup finds blobs in the index that no snapshot uses: it does not store them again.
TEST_F(PruneBesideOthers, KeepsWhatANewSnapshotUsesOfPacksThatWereToGo) {
  FileName late;
  EXPECT_OK(prune_while([&] { late = snapshot({1, 4}, "late"); }));
  EXPECT_EQ(damage_of(shared()), "");
  for (const unsigned blob : {1U, 3U, 4U, 5U, 6U}) EXPECT_TRUE(has(blob)) << blob;
  forget(late);
  expect_pruned(4);
}

TEST_F(PruneBesideOthers, KeepsWhatANewSnapshotHasStored) {
  EXPECT_OK(prune_while([&] { snapshot({7, 8, 9}, "late"); }));
  EXPECT_EQ(damage_of(shared()), "");
  for (const unsigned blob : {3U, 5U, 6U, 7U, 8U, 9U}) EXPECT_TRUE(has(blob)) << blob;
  for (const unsigned blob : {1U, 2U, 4U}) EXPECT_FALSE(has(blob)) << blob;
}

TEST_F(PruneBesideOthers, LeavesForTheNextRunWhatIsForgottenMeanwhile) {
  EXPECT_OK(prune_while([&] { forget(kept_); }));
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_TRUE(has(3));
  expect_pruned(0);
}

TEST_F(PruneBesideOthers, EndsIfASnapshotThatHasComeCannotBeRead) {
  const auto before = all();
  const Status pruned = prune_while([&] { memory_.damage(snapshot({1}, "late")); });
  EXPECT_THAT(pruned, FailsWith(ErrorKind::kCorrupt));
  for (const auto& [file, content] : before) EXPECT_THAT(all(), Contains(Key(file)));
}

// Another prune has come between the two locks.
TEST_F(PruneBesideOthers, BearsThatAnotherPruneHasDoneItAll) {
  Status other;
  EXPECT_OK(prune_while([&] {
    is_beside_others_ = false;
    other = prune();
  }));
  EXPECT_OK(other);
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_EQ(blob_count(), 4);
}

// A prune by another program may choose the old copies, and remove the new ones.
TEST_F(PruneBesideOthers, KeepsTheOldPacksIfTheNewOnesAreGone) {
  const auto before = all();
  EXPECT_OK(prune_while([&] {
    for (const FileType type : {FileType::kIndex, FileType::kPack}) {
      for (const ListedFile& file : files(type)) {
        if (!before.contains({type, file.name})) memory_.remove({type, file.name});
      }
    }
  }));
  EXPECT_EQ(damage_of(shared()), "");
  for (const unsigned blob : {3U, 5U, 6U}) EXPECT_TRUE(has(blob)) << blob;
}

TEST_F(PruneBesideOthers, EndsIfAnIndexFileIsGoneThatNamesWhatIsInUse) {
  const auto before = all();
  const Status pruned = prune_while([&] {
    for (const auto& [file, content] : before) {
      if (file.type == FileType::kIndex) memory_.remove(file);
    }
  });
  ASSERT_THAT(pruned, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(pruned.error().message(), HasSubstr("in no index any more"));
  for (const auto& [file, content] : before) {
    if (file.type == FileType::kPack) {
      EXPECT_THAT(all(), Contains(Key(file)));
    }
  }
}

// Without the exclusive lock a program may still be about to name its packs.
TEST_F(PruneBesideOthers, RemovesNothingBeforeItLooksAgain) {
  memory_.storage().watch_removals([](const FileName& file) -> Status {
    ADD_FAILURE() << relative_path(file);
    return {};
  });
  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  ASSERT_OK(prepare(pruner));
  EXPECT_OK(pruner.copy(said_));
  EXPECT_OK(pruner.look_again());
  EXPECT_THAT(pruner.plan().copies, IsEmpty());
}

// While it looks, others are locked out: what it knows it does not read again.
TEST_F(PruneBesideOthers, ReadsOnlyWhatHasComeWhenItLooksAgain) {
  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  ASSERT_OK(prepare(pruner));
  const std::size_t before = memory_.storage().reads();
  EXPECT_OK(pruner.look_again());
  EXPECT_EQ(memory_.storage().reads(), before);

  snapshot({20, 21}, "late");
  const std::size_t after_backup = memory_.storage().reads();
  EXPECT_OK(pruner.look_again());
  EXPECT_EQ(memory_.storage().reads() - after_backup, 3) << "a snapshot, an index file and a tree";
  ASSERT_OK(pruner.remove(said_));
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_TRUE(has(20));
}

// Index files of a read that nothing watched are looked at, too.
TEST_F(PruneBesideOthers, TakesPacksOutOfIndexFilesThatWereLoadedInPassing) {
  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  ASSERT_OK(prepare(pruner));
  ASSERT_OK(pruner.copy(said_));
  const FileName late = snapshot({20, 21}, "late");
  value_of(repository->refresh_index(soon()));
  forget(late);
  ASSERT_OK(pruner.look_again());
  ASSERT_OK(pruner.remove(said_));
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_FALSE(has(20));
}

}  // namespace
}  // namespace restree::testing
