// The index of a repository that others change: what a refresh reads, and what it finds afterwards.
#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "repo/crypto/sha256.h"
#include "repo/repository.h"
#include "tests/repo/data_loading.h"
#include "tests/support/gate.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::Gate;
using testing::load;
using testing::MemoryRepository;
using testing::soon;
using testing::text_of;
using testing::value_of;

class RefreshIndex : public ::testing::Test {
 protected:
  Result<bool> refresh() { return repository_->refresh_index(soon()); }

  MemoryRepository memory_;
  const BlobId first_ = memory_.builder().add_data("first");
  const std::string first_index_ = memory_.builder().finish();
  std::unique_ptr<Repository> repository_ = memory_.open();
};

TEST_F(RefreshIndex, ReadsNothingIfNothingChanged) {
  const std::size_t reads = memory_.storage().reads();
  EXPECT_FALSE(value_of(refresh()));
  EXPECT_EQ(memory_.storage().reads(), reads);
}

// A check after a repair looks at everything again.
TEST_F(RefreshIndex, AWatchGetsEveryFileEachTime) {
  struct Watch : IndexWatch {
    void pack(const std::string&, const PackId&, std::span<const IndexedBlob>) override { ++packs; }
    void damaged(const std::string&, const Error&) override {}
    std::atomic<int> packs = 0;
  };
  for (int expected = 1; expected <= 2; ++expected) {
    for (int time = 0; time < 2; ++time) {
      Watch watch;
      EXPECT_TRUE(value_of(repository_->refresh_index(soon(), &watch)));
      EXPECT_EQ(watch.packs, expected);
      ASSERT_EQ(repository_->index_parts().size(), 1U);
      EXPECT_EQ(repository_->index_parts().front()->blob_count(), static_cast<unsigned>(expected));
    }
    memory_.builder().add_data("second");
    memory_.builder().finish();
  }
}

class WatchThatKnows : public IndexWatch {
 public:
  explicit WatchThatKnows(std::set<std::string> known) : known_(std::move(known)) {}
  void pack(const std::string& file, const PackId&, std::span<const IndexedBlob>) override {
    told.lock()->insert(file);
  }
  void damaged(const std::string&, const Error&) override {}
  bool knows(const std::string& file) const override { return known_.contains(file); }

  Guarded<std::set<std::string>> told;

 private:
  const std::set<std::string> known_;
};

// As for a prune that has the lock at last, and looks what has come meanwhile.
TEST_F(RefreshIndex, AWatchIsNotToldOfWhatItKnows) {
  WatchThatKnows first({});
  EXPECT_TRUE(value_of(repository_->refresh_index(soon(), &first)));
  EXPECT_THAT(*first.told.lock(), ::testing::ElementsAre(first_index_));

  const std::size_t reads = memory_.storage().reads();
  WatchThatKnows again({first_index_});
  EXPECT_FALSE(value_of(repository_->refresh_index(soon(), &again)));
  EXPECT_THAT(*again.told.lock(), ::testing::IsEmpty());
  EXPECT_EQ(memory_.storage().reads(), reads);

  memory_.builder().add_data("second");
  const std::string second_index = memory_.builder().finish();
  WatchThatKnows later({first_index_});
  EXPECT_TRUE(value_of(repository_->refresh_index(soon(), &later)));
  EXPECT_THAT(*later.told.lock(), ::testing::ElementsAre(second_index));
  EXPECT_EQ(memory_.storage().reads(), reads + 1);
  EXPECT_EQ(repository_->index_figures().blobs, 2U);
}

// What a file that is gone has said is forgotten, so all others are read anew.
TEST_F(RefreshIndex, AWatchIsToldOfAllIfOneIsGoneOrUnknown) {
  memory_.builder().add_data("second");
  const std::string second_index = memory_.builder().finish();
  EXPECT_TRUE(value_of(refresh()));
  for (const std::string& known : {first_index_, second_index}) {
    WatchThatKnows watch({known});
    EXPECT_TRUE(value_of(repository_->refresh_index(soon(), &watch)));
    EXPECT_EQ(watch.told.lock()->size(), 2U);
  }
  memory_.remove({FileType::kIndex, first_index_});
  WatchThatKnows watch({first_index_, second_index});
  EXPECT_TRUE(value_of(repository_->refresh_index(soon(), &watch)));
  EXPECT_THAT(*watch.told.lock(), ::testing::ElementsAre(second_index));
  EXPECT_EQ(repository_->index_figures().blobs, 1U);
}

TEST_F(RefreshIndex, ReadsOnlyTheNewFiles) {
  const BlobId second = memory_.builder().add_data("second");
  memory_.builder().finish();
  const std::size_t reads = memory_.storage().reads();
  EXPECT_TRUE(value_of(refresh()));
  EXPECT_EQ(memory_.storage().reads(), reads + 1);
  EXPECT_EQ(repository_->index_figures().blobs, 2U);
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_EQ(text_of(load(*repository_, second)), "second");
}

TEST_F(RefreshIndex, ForgetsTheBlobsOfARemovedFile) {
  memory_.remove({FileType::kIndex, first_index_});
  EXPECT_TRUE(value_of(refresh()));
  EXPECT_EQ(repository_->blob_size(BlobType::kData, first_), std::nullopt);
  EXPECT_EQ(repository_->index_figures().blobs, 0U);
}

TEST_F(RefreshIndex, KeepsCountOverManyAdditions) {
  std::vector<BlobId> blobs;
  for (int i = 0; i < 20; ++i) {
    blobs.push_back(memory_.builder().add_data("blob " + std::to_string(i)));
    memory_.builder().finish();
    EXPECT_TRUE(value_of(refresh()));
  }
  EXPECT_EQ(repository_->index_figures().blobs, 21U);
  EXPECT_EQ(repository_->index_figures().packs, 21U);
  for (const BlobId& blob : blobs) EXPECT_OK(load(*repository_, blob));
}

TEST_F(RefreshIndex, ReadsOnlyTheNewFilesHoweverOftenSomeCame) {
  for (int i = 0; i < 100; ++i) {
    memory_.builder().add_data("blob " + std::to_string(i));
    memory_.builder().finish();
    const std::size_t reads = memory_.storage().reads();
    EXPECT_TRUE(value_of(refresh()));
    EXPECT_EQ(memory_.storage().reads(), reads + 1) << "addition " << i;
    EXPECT_LE(repository_->index_parts().size(), 3U) << "addition " << i;
  }
  EXPECT_EQ(repository_->index_figures().blobs, 101U);
}

TEST_F(RefreshIndex, LeavesOutADamagedFileAndKeepsTheOthers) {
  const BlobId second = memory_.builder().add_data("second");
  const FileName damaged{FileType::kIndex, memory_.builder().finish()};
  memory_.damage(damaged);
  EXPECT_TRUE(value_of(refresh()));
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  EXPECT_THAT(load(*repository_, second), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(RefreshIndex, LeavesOutATruncatedFileAndOneThatIsNotAnIndex) {
  memory_.builder().add_data("second");
  memory_.truncate({FileType::kIndex, memory_.builder().finish()});
  memory_.builder().add_sealed(FileType::kIndex, R"(["not", "an index")");
  EXPECT_TRUE(value_of(refresh()));
  EXPECT_EQ(repository_->index_figures().blobs, 1U);
}

TEST_F(RefreshIndex, ReadsAFileOnceMoreIfTheLineGarbledIt) {
  const BlobId second = memory_.builder().add_data("second");
  const FileName index{FileType::kIndex, memory_.builder().finish()};
  const Bytes whole = value_of(memory_.storage().read_all(index, soon()));
  memory_.damage(index);
  std::atomic<int> reads = 0;
  memory_.storage().watch([&](const FileName& file) -> Status {
    if (file == index && ++reads == 2) return memory_.storage().write(index, whole, soon());
    return {};
  });
  EXPECT_TRUE(value_of(refresh()));
  EXPECT_EQ(text_of(load(*repository_, second)), "second");
}

TEST_F(RefreshIndex, ThatFailsLeavesTheIndexAsItWas) {
  memory_.builder().add_data("second");
  memory_.builder().finish();
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kIndex || file.name.empty()) return {};
    return Error(ErrorKind::kUnavailable, "the line is down");
  });
  EXPECT_THAT(refresh(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
  memory_.storage().watch({});
  EXPECT_TRUE(value_of(refresh()));
  EXPECT_EQ(repository_->index_figures().blobs, 2U);
}

TEST_F(RefreshIndex, ListsAgainIfAFileGoesBetweenListingAndReading) {
  const BlobId second = memory_.builder().add_data("second");
  const FileName doomed{FileType::kIndex, memory_.builder().finish()};
  memory_.storage().watch([&](const FileName& file) -> Status {
    if (file != doomed) return {};
    memory_.storage().watch({});
    memory_.remove(doomed);
    return {};
  });
  EXPECT_OK(refresh());
  EXPECT_EQ(repository_->index_figures().blobs, 1U);
  EXPECT_EQ(repository_->blob_size(BlobType::kData, second), std::nullopt);
}

// Moves the blobs of an index and its pack to a new pack, as `restic prune` does.
class Pruned : public RefreshIndex {
 protected:
  void move_first() {
    const auto old_packs = memory_.builder().pack_names_of(first_);
    memory_.builder().add_data("first");
    memory_.builder().finish();
    memory_.remove({FileType::kIndex, first_index_});
    for (const FileName& pack : old_packs) memory_.remove(pack);
  }
};

TEST_F(Pruned, BlobIsFollowedToItsNewPack) {
  move_first();
  EXPECT_EQ(text_of(load(*repository_, first_)), "first");
}

TEST_F(Pruned, BlobThatIsGoneForGoodIsCorrupt) {
  memory_.remove({FileType::kIndex, first_index_});
  memory_.remove_packs_of(first_);
  EXPECT_THAT(load(*repository_, first_), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(Pruned, WhileTheLineIsDownIsAnOutageNotDamage) {
  move_first();
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kIndex) return {};
    return Error(ErrorKind::kUnavailable, "the line is down");
  });
  EXPECT_THAT(load(*repository_, first_), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(RefreshIndex, FindsABlobThatABackupHasJustAdded) {
  const BlobId second = memory_.builder().add_data("second");
  memory_.builder().finish();
  EXPECT_EQ(text_of(load(*repository_, second)), "second");
}

TEST_F(RefreshIndex, IsDoneByOneCallerForAllThatWait) {
  memory_.builder().add_data("second");
  memory_.builder().finish();
  Gate gate;
  memory_.storage().watch([&](const FileName& file) -> Status {
    if (file == FileName{FileType::kIndex, ""}) gate.pass();
    return {};
  });
  const std::size_t lists = memory_.storage().lists(FileType::kIndex);
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i) callers.emplace_back([&] { EXPECT_OK(refresh()); });
    gate.wait_for_arrivals(1);
    gate.open();
  }
  // Every caller gets a refresh that began after its call, but callers share them: the running one,
  // one for all that called meanwhile, and more only for those that called later still.
  EXPECT_LE(memory_.storage().lists(FileType::kIndex), lists + 8);
  EXPECT_EQ(repository_->index_figures().blobs, 2U);
}

TEST_F(RefreshIndex, EndsByItsDeadlineWhileAnotherIsStuck) {
  Gate gate;
  memory_.storage().watch([&](const FileName&) -> Status {
    gate.pass();
    return {};
  });
  std::jthread stuck([&] { EXPECT_OK(refresh()); });
  gate.wait_for_arrivals(1);
  EXPECT_THAT(repository_->refresh_index(Deadline::after({})), FailsWith(ErrorKind::kUnavailable));
  gate.open();
}

TEST_F(RefreshIndex, RunsBesideManyReaders) {
  std::vector<BlobId> blobs{first_};
  for (int i = 0; i < 16; ++i) {
    blobs.push_back(memory_.builder().add_data("blob " + std::to_string(i)));
  }
  memory_.builder().finish();
  std::atomic<bool> done = false;
  std::vector<std::jthread> readers;
  for (std::size_t reader = 0; reader < 8; ++reader) {
    readers.emplace_back([&, reader] {
      for (std::size_t i = reader; !done; ++i) {
        const BlobId& blob = blobs[i % blobs.size()];
        const auto loaded = load(*repository_, blob);
        if (!loaded || sha256((*loaded)->view()) != blob.bytes) {
          ADD_FAILURE() << text_of(loaded);
          return;
        }
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    memory_.builder().add_data("more " + std::to_string(i));
    const FileName index{FileType::kIndex, memory_.builder().finish()};
    EXPECT_OK(refresh());
    if (i % 2 == 0) memory_.remove(index);
  }
  done = true;
}

}  // namespace
}  // namespace restree
