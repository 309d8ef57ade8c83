// Pictures of a storage that a provider takes at any moment, and brings back in place of all that came later: of
// a backup, a forget and a prune on their way.
//
// Packs come before the index that names them, and that before the snapshot; a prune takes them away in the
// other order. So every snapshot in a picture is whole, and what is left over is used or removed by what
// runs next.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "repo/crypto/sha256.h"
#include "repo/format/tree.h"
#include "repo/identity.h"
#include "repo/repairer/unindexed_packs.h"
#include "tests/pruner/picture_storage.h"
#include "tests/pruner/pruned_repository.h"
#include "tests/support/scale.h"
#include "tests/support/split_mix.h"

namespace restree::testing {
namespace {

constexpr std::size_t kMoments = 200;

class Pictures : public PrunedRepository {
 protected:
  // A repository of some snapshots with blobs in common, and packs that are used in part.
  Pictures() {
    fill();
    snapshot({2, 7, 8, 9, 10}, "h");
    snapshot({4, 6, 8, 11, 12, 13, 14}, "i");
    before_ = names_in(shared());
    taken_ = std::make_shared<PictureStorage>(shared());
  }

  static std::set<std::string> names_in(const std::shared_ptr<Storage>& storage) {
    std::set<std::string> names;
    for (const ListedFile& file : value_of(storage->list(FileType::kSnapshot, soon()))) {
      names.insert(file.name);
    }
    return names;
  }
  static std::shared_ptr<Storage> brought_back(const Picture& picture) {
    const auto storage = std::make_shared<MemoryStorage>();
    go_back(*storage, picture);
    return storage;
  }
  // What a backup of these blobs stores.
  static Status back_up(const std::shared_ptr<Storage>& storage,
                        const std::vector<unsigned>& blobs) {
    const auto repository = open_at(storage);
    RETURN_IF_ERROR(repository->refresh_index(soon()));
    RepositoryWriter::Options options{.pack_bytes = 2 * kBlobBytes};
    ASSIGN_OR_RETURN(PackDifferences packs, compare_packs(*repository, soon()));
    options.lost_packs = packs.lost;
    RETURN_IF_ERROR(adopt_packs(*repository, std::move(packs.unindexed), {}));
    RepositoryWriter writer(*repository, options, {});
    std::vector<BlobId> content;
    for (const unsigned number : blobs) {
      ASSIGN_OR_RETURN(const SavedBlob blob,
                       writer.save(BlobType::kData, as_bytes(bytes_of(number))));
      content.push_back(blob.id);
    }
    const std::string tree =
        "{\"nodes\":[" + file_node("new", content, blobs.size() * kBlobBytes) + "]}\n";
    ASSIGN_OR_RETURN(const SavedBlob root, writer.save(BlobType::kTree, as_bytes(tree)));
    RETURN_IF_ERROR(writer.flush());
    Snapshot snapshot;
    snapshot.time = wall_clock_now();
    snapshot.tree = root.id;
    snapshot.paths = {"/new"};
    snapshot.hostname = "host";
    const std::string json = write_snapshot(snapshot);
    RETURN_IF_ERROR(repository->save_unpacked(FileType::kSnapshot, as_bytes(json), soon()));
    return {};
  }
  // Every moment if there are not so many.
  std::vector<std::size_t> moments() const {
    std::vector<std::size_t> chosen;
    SplitMix64 random(1);
    const std::size_t all = taken_->moments();
    const std::size_t most = scaled(kMoments, 20);
    for (std::size_t i = 0; i < std::min(all, most); ++i) {
      chosen.push_back(all <= most ? i : random() % all);
    }
    return chosen;
  }
  // `required`: the snapshots that all pictures have.
  void expect_good_pictures(const std::set<std::string>& required) {
    ASSERT_GT(taken_->moments(), 3U);
    for (const std::size_t moment : moments()) {
      SCOPED_TRACE("moment " + std::to_string(moment) + " of " + std::to_string(taken_->moments()));
      const Picture picture = taken_->at(moment);
      const auto storage = brought_back(picture);
      EXPECT_TRUE(std::ranges::includes(names_in(storage), required));
      EXPECT_EQ(damage_of(storage), "");
      EXPECT_OK(back_up(storage, {1, 2, 3, 21, 22, 30}));
      EXPECT_EQ(damage_of(storage), "") << "after the next backup";
      EXPECT_OK(prune_at(storage));
      EXPECT_EQ(damage_of(storage), "") << "after the next prune";
      EXPECT_THAT(value_of(compare_packs(*indexed(storage), soon())).unindexed,
                  ::testing::IsEmpty());

      const auto pruned_first = brought_back(picture);
      EXPECT_OK(prune_at(pruned_first));
      EXPECT_EQ(damage_of(pruned_first), "") << "after a prune alone";
      if (HasFailure()) return;
    }
  }
  static std::unique_ptr<Repository> indexed(const std::shared_ptr<Storage>& storage) {
    auto repository = open_at(storage);
    EXPECT_OK(repository->refresh_index(soon()));
    return repository;
  }

  // Whether each snapshot has all its data.
  static bool all_can_be_read(const std::shared_ptr<Storage>& storage) {
    const auto repository = indexed(storage);
    for (const std::string& name : names_in(storage)) {
      const Snapshot snapshot =
          value_of(repository->load_snapshot(*SnapshotId::parse(name), soon()));
      const auto blob = repository->load(BlobType::kTree, snapshot.tree, soon());
      if (!blob) return false;
      const auto tree = value_of(Tree::parse((*blob)->view()));
      for (const BlobId& id : tree->nodes().front().content) {
        if (!repository->load(BlobType::kData, id, soon())) return false;
      }
    }
    return true;
  }

  std::set<std::string> before_;
  std::shared_ptr<PictureStorage> taken_;
};

TEST_F(Pictures, OfABackupAreWhole) {
  ASSERT_OK(back_up(taken_, {2, 15, 16, 17, 18, 19, 20, 21}));
  expect_good_pictures(before_);
}

TEST_F(Pictures, OfAForgetAreWhole) {
  std::set<std::string> kept = before_;
  for (int i = 0; i < 3; ++i) {
    const std::string name = *kept.begin();
    ASSERT_OK(taken_->remove({FileType::kSnapshot, name}, soon()));
    kept.erase(name);
  }
  expect_good_pictures(kept);
}

TEST_F(Pictures, OfAPruneAreWhole) {
  snapshot({3, 6, 9, 12}, "kept");
  forget(kept_);
  before_ = names_in(shared());
  taken_ = std::make_shared<PictureStorage>(shared());
  ASSERT_OK(prune_at(taken_));
  expect_good_pictures(before_);
}

TEST_F(Pictures, OfAPruneInRoundsAreWhole) {
  is_in_rounds_ = true;
  ASSERT_OK(prune_at(taken_));
  is_in_rounds_ = false;
  expect_good_pictures(before_);
}

// rsync or a cloud's copy takes one file after the other while programs go on: in the right order of folders
// (packs, index, snapshots as listed before) nothing is missing; in the wrong one a snapshot can be there
// without its data, which check says, and the next backup of the same files stores again.
TEST_F(Pictures, ThatAreNoneAsTheyWereCopiedMeanwhileAreWholeInTheRightOrder) {
  ASSERT_OK(back_up(taken_, {31, 32, 33, 34}));
  ASSERT_OK(back_up(taken_, {35, 36, 37, 38}));
  const std::size_t last = taken_->moments() - 1;
  SplitMix64 random(2);
  int broken = 0;
  for (std::uint64_t round = 0; round < scaled(100, 10); ++round) {
    // What the copy had listed when it came to each folder.
    std::vector<std::size_t> times(3);
    for (std::size_t& time : times) time = static_cast<std::size_t>(random() % last);
    std::ranges::sort(times);
    SCOPED_TRACE(::testing::PrintToString(times));
    const auto part = [&](std::size_t moment, FileType type, Picture& copy) {
      for (const auto& [name, content] : taken_->at(moment)) {
        if (name.type == type) copy.emplace(name, content);
      }
    };
    // Snapshots are listed first and copied last.
    Picture copy;
    part(0, FileType::kConfig, copy);
    part(0, FileType::kKey, copy);
    part(times[0], FileType::kSnapshot, copy);
    part(times[1], FileType::kIndex, copy);
    part(times[2], FileType::kPack, copy);
    EXPECT_EQ(damage_of(brought_back(copy)), "");

    Picture wrong;
    part(0, FileType::kConfig, wrong);
    part(0, FileType::kKey, wrong);
    part(times[0], FileType::kPack, wrong);
    part(times[1], FileType::kIndex, wrong);
    part(times[2], FileType::kSnapshot, wrong);
    const auto storage = brought_back(wrong);
    const bool is_whole = all_can_be_read(storage);
    if (!is_whole) {
      ++broken;
      EXPECT_NE(damage_of(storage), "") << "check tells it";
    }
    EXPECT_OK(back_up(storage, {31, 32, 33, 34, 35, 36, 37, 38}));
    const auto repository = indexed(storage);
    for (unsigned number = 31; number <= 38; ++number) {
      const BlobId id{sha256(as_bytes(bytes_of(number)))};
      EXPECT_OK(repository->load(BlobType::kData, id, soon()));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(broken, 0) << "the wrong order does harm";
}

}  // namespace
}  // namespace restree::testing
