#include "repo/pruner/pruner.h"

#include <atomic>
#include <set>
#include <stop_token>

#include "tests/pruner/pruned_repository.h"

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::SizeIs;

class PrunerTest : public PrunedRepository {
 protected:
  std::string sealed(unsigned blob) {
    const auto place = value_of(memory_.open()->find_blob(BlobType::kData, ids_.at(blob)));
    return std::string(as_text(value_of(memory_.storage().read(
        {FileType::kPack, place.pack.hex()}, {place.offset, place.length}, soon()))));
  }
};

TEST_F(PrunerTest, RemovesWhatNoSnapshotUses) {
  fill();
  EXPECT_OK(prune());
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_EQ(blob_count(), 4) << "three of data, and a tree";
  for (const unsigned blob : {3U, 5U, 6U}) EXPECT_TRUE(has(blob));
  for (const unsigned blob : {1U, 2U, 4U}) EXPECT_FALSE(has(blob));
  EXPECT_THAT(files(FileType::kPack), SizeIs(3)) << "(5 6), the copy of 3, and a tree";
  EXPECT_THAT(said_.left, IsEmpty());
}

TEST_F(PrunerTest, LeavesARepositoryAloneThatHasNothingUnused) {
  snapshot({1, 2, 3});
  const auto before = all();
  EXPECT_OK(prune());
  EXPECT_TRUE(all() == before);
  EXPECT_THAT(said_.begun, IsEmpty());
}

TEST_F(PrunerTest, RemovesAllOnceThereIsNoSnapshot) {
  fill();
  forget(kept_);
  EXPECT_OK(prune());
  EXPECT_THAT(files(FileType::kPack), IsEmpty());
  EXPECT_THAT(files(FileType::kIndex), IsEmpty());
}

TEST_F(PrunerTest, TakesIgnoredSnapshotsForForgotten) {
  forgotten_ = snapshot({1, 2});
  kept_ = snapshot({3, 4});
  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  EXPECT_OK(prepare(pruner, {*SnapshotId::parse(forgotten_.name)}));
  EXPECT_EQ(pruner.plan().statistics.removed.blobs, 3);
}

TEST_F(PrunerTest, CopiesBlobsAsTheyAreSealed) {
  fill();
  const FileName pack = pack_of(3);
  const std::string before = sealed(3);
  EXPECT_OK(prune());
  EXPECT_NE(pack_of(3), pack);
  EXPECT_EQ(sealed(3), before);
}

TEST_F(PrunerTest, CompressesWhatIsCopiedAndIsNot) {
  const std::string text(5000, 'x');
  const BlobId data = memory_.builder().add_data(text);
  const BlobId tree = memory_.builder().add_tree({file_node("f", {data}, text.size())});
  memory_.builder().finish();
  add_snapshot(tree);
  options_.rules.repack_uncompressed = true;
  EXPECT_OK(prune());
  EXPECT_EQ(damage_of(shared()), "");
  const auto repository = memory_.open();
  EXPECT_EQ(value_of(repository->find_blob(BlobType::kData, data)).raw_length, text.size());
  EXPECT_NE(value_of(repository->find_blob(BlobType::kTree, tree)).raw_length, 0);
}

TEST_F(PrunerTest, LeavesDataUncompressedIfNothingIsToBeCompressed) {
  const BlobId data = memory_.builder().add_data(std::string(5000, 'x'));
  const BlobId tree = memory_.builder().add_tree({file_node("f", {data}, 5000)});
  memory_.builder().finish();
  add_snapshot(tree);
  options_.rules.repack_uncompressed = true;
  options_.writer.compression = Compression::kOff;
  EXPECT_OK(prune());
  EXPECT_EQ(value_of(memory_.open()->find_blob(BlobType::kData, data)).raw_length, 0);
}

// What a tree of another program refers to is in use, whether it can be shown or not.
TEST_F(PrunerTest, KeepsTheContentOfNodesWithHostileNames) {
  snapshot({1, 2}, "../f");
  EXPECT_OK(prune());
  EXPECT_TRUE(has(1));
  EXPECT_TRUE(has(2));
}

TEST_F(PrunerTest, ReadsEachTreeOnce) {
  const BlobId leaf = memory_.builder().add_tree({});
  const BlobId middle =
      memory_.builder().add_tree({folder_node("a", leaf), folder_node("b", leaf)});
  const BlobId one = memory_.builder().add_tree({folder_node("c", middle)});
  const BlobId two = memory_.builder().add_tree({folder_node("d", middle)});
  memory_.builder().finish();
  for (const BlobId& root : {one, two, one}) add_snapshot(root);
  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  EXPECT_OK(prepare(pruner));
  EXPECT_EQ(pruner.trees(), 4);
}

// --- the order of changes ------------------------------------------------------------------------

TEST_F(PrunerTest, WritesBeforeItRemovesAndIndexFilesGoBeforePacks) {
  fill();
  enum class Change { kNewPack, kNewIndex, kOldIndex, kOldPack };
  std::vector<Change> changes;
  Mutex mutex;
  const auto note = [&](bool writes) {
    return [&, writes](const FileName& file) -> Status {
      const bool is_pack = file.type == FileType::kPack;
      const MutexLock lock(mutex);
      changes.push_back(writes ? (is_pack ? Change::kNewPack : Change::kNewIndex)
                               : (is_pack ? Change::kOldPack : Change::kOldIndex));
      return {};
    };
  };
  memory_.storage().watch_writes(note(true));
  memory_.storage().watch_removals(note(false));
  EXPECT_OK(prune());
  EXPECT_TRUE(std::ranges::is_sorted(changes));
  EXPECT_THAT(changes, AllOf(Contains(Change::kNewPack), Contains(Change::kOldPack),
                             Contains(Change::kNewIndex), Contains(Change::kOldIndex)));
}

TEST_F(PrunerTest, WithoutFreeSpaceRemovesBeforeItWrites) {
  fill();
  options_.removes_first = true;
  options_.rules.max_repack_bytes = 0;
  std::atomic<bool> is_any_removed = false;
  memory_.storage().watch_removals([&](const FileName&) -> Status {
    is_any_removed = true;
    return {};
  });
  memory_.storage().watch_writes([&](const FileName&) -> Status {
    if (is_any_removed) return {};
    return Error(ErrorKind::kLocalIo, "the disk is full");
  });
  EXPECT_OK(prune());
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_FALSE(has(1));
  EXPECT_TRUE(has(4)) << "nothing is repacked";
}

TEST_F(PrunerTest, KeepsThePacksIfAnOldIndexFileCannotBeRemoved) {
  fill();
  const std::size_t before = files(FileType::kPack).size();
  memory_.storage().watch_removals([](const FileName& file) -> Status {
    if (file.type != FileType::kIndex) return {};
    return Error(ErrorKind::kDenied, "read-only");
  });
  EXPECT_THAT(prune(), FailsWith(ErrorKind::kDenied));
  EXPECT_GT(files(FileType::kPack).size(), before);
  EXPECT_EQ(damage_of(shared()), "");
}

TEST_F(PrunerTest, GoesOnAfterAPackThatCannotBeRemoved) {
  fill();
  const FileName stuck = pack_of(1);
  memory_.storage().watch_removals([&](const FileName& file) -> Status {
    if (file != stuck) return {};
    return Error(ErrorKind::kDenied, "read-only");
  });
  EXPECT_OK(prune());
  EXPECT_THAT(said_.left, ElementsAre(relative_path(stuck)));
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_FALSE(has(1)) << "it is in no index any more";
}

TEST_F(PrunerTest, RemovesNothingOnceItsLockIsGone) {
  fill();
  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  ASSERT_OK(prepare(pruner));
  const auto before = all();
  repository->write_gate().look_first(
      [](Deadline) -> Status { return Error(ErrorKind::kLocked, "the lock was removed"); });
  EXPECT_THAT(finish(pruner), FailsWith(ErrorKind::kLocked));
  for (const auto& [file, content] : before) EXPECT_THAT(all(), Contains(Key(file)));
}

TEST_F(PrunerTest, RemovesNothingIndexedIfASnapshotHasAppeared) {
  fill();
  const auto repository = open_at(shared());
  Pruner pruner(*repository, options_);
  ASSERT_OK(prepare(pruner));
  const auto before = all();
  snapshot({1, 4}, "of a program without locks");
  EXPECT_THAT(finish(pruner), FailsWith(ErrorKind::kUnavailable));
  for (const auto& [file, content] : before) EXPECT_THAT(all(), Contains(Key(file)));
  EXPECT_EQ(damage_of(shared()), "");
}

TEST_F(PrunerTest, RemovesNothingIfANewPackIsNotThere) {
  fill();
  const std::set<FileName> before = [&] {
    std::set<FileName> names;
    for (const auto& [file, content] : all()) names.insert(file);
    return names;
  }();
  memory_.storage().watch_sizes([&](const FileName& file) -> Status {
    if (before.contains(file)) return {};
    return Error(ErrorKind::kNotFound, "no such file");
  });
  EXPECT_FALSE(prune());
  for (const FileName& file : before) EXPECT_THAT(all(), Contains(Key(file)));
}

TEST_F(PrunerTest, NamesWhatItHasCopiedIfItIsStopped) {
  fill();
  kept_ = snapshot({3, 5, 7, 8, 9, 10, 11, 12}, "h");
  forget(kept_);
  snapshot({3, 7, 9, 11}, "i");
  std::stop_source stop;
  options_.bulk.stop = stop.get_token();
  options_.writer.pack_bytes = 1;
  memory_.storage().watch_writes([&](const FileName& file) -> Status {
    if (file.type == FileType::kPack) stop.request_stop();
    return {};
  });
  EXPECT_THAT(prune(), FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(damage_of(shared()), "");
  options_.bulk.stop = {};
  memory_.storage().watch_writes({});
  EXPECT_OK(prune());
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_FALSE(has(8));
}

}  // namespace
}  // namespace restree::testing
