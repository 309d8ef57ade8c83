#include "repo/repairer/unindexed_packs.h"

#include <algorithm>
#include <string>

#include "repo/base/guarded.h"
#include "repo/crypto/sha256.h"
#include "repo/writer/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::MemoryRepository;
using testing::random_bytes;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class UnindexedPacks : public ::testing::Test {
 protected:
  // Stores blobs, a pack for each, and never comes to write an index.
  std::vector<BlobId> store_without_index(unsigned count, std::size_t pack_bytes = 1,
                                          std::size_t blob_bytes = 5000) {
    memory_.storage().watch_writes([](const FileName& file) -> Status {
      if (file.type != FileType::kIndex) return {};
      return Error(ErrorKind::kCancelled, "killed");
    });
    const auto repository = memory_.open();
    RepositoryWriter writer(*repository, {.pack_bytes = pack_bytes}, {});
    std::vector<BlobId> ids;
    for (unsigned i = 0; i < count; ++i) {
      ids.push_back(
          value_of(writer.save(BlobType::kData, as_bytes(random_bytes(i, blob_bytes)))).id);
    }
    EXPECT_FALSE(writer.flush());
    memory_.storage().watch_writes({});
    return ids;
  }
  std::vector<ListedFile> files(FileType type) {
    return value_of(memory_.storage().list(type, soon()));
  }
  FileName pack(std::size_t number) {
    return {FileType::kPack, files(FileType::kPack)[number].name};
  }
  void write(const FileName& file, std::string_view content) {
    ASSERT_OK(memory_.storage().write(file, as_bytes(content), soon()));
  }

  Result<AdoptedPacks> adopt(Repository& repository) {
    ASSIGN_OR_RETURN(PackDifferences packs, compare_packs(repository, soon()));
    AdoptionOptions options = options_;
    options.on_left_out = [&](const Error& error) { left_out_.lock()->push_back(error.message()); };
    return adopt_packs(repository, std::move(packs.unindexed), options);
  }
  AdoptedPacks adopted() { return value_of(adopt(*memory_.open())); }
  std::vector<std::string> left_out() { return *left_out_.lock(); }

  MemoryRepository memory_{2};
  AdoptionOptions options_{.patience = std::chrono::seconds(60)};
  Guarded<std::vector<std::string>> left_out_;
};

TEST_F(UnindexedPacks, AreFoundAndNamed) {
  const auto ids = store_without_index(3);
  const auto repository = memory_.open();
  const auto adopted = value_of(adopt(*repository));
  EXPECT_EQ(adopted.packs, 3);
  EXPECT_EQ(adopted.blobs, 3);
  for (const BlobId& id : ids) {
    EXPECT_OK(repository->load(BlobType::kData, id, soon()));
    EXPECT_OK(memory_.open()->load(BlobType::kData, id, soon()));
  }
  EXPECT_THAT(left_out(), IsEmpty());
}

TEST_F(UnindexedPacks, WithAHeaderLongerThanTheFirstReadToo) {
  store_without_index(300, RepositoryWriter::kDefaultPackBytes, 10);
  EXPECT_EQ(adopted().blobs, 300);
}

TEST_F(UnindexedPacks, AreReadPieceByPieceWhereTheyAreLong) {
  store_without_index(1, 1, 9 << 20);
  const std::size_t before = memory_.storage().reads(FileType::kPack);
  EXPECT_EQ(adopted().packs, 1);
  // Its header, and three requests of 4 MiB.
  EXPECT_EQ(memory_.storage().reads(FileType::kPack) - before, 4);
}

TEST_F(UnindexedPacks, AreNotLookedForTwice) {
  store_without_index(1);
  EXPECT_EQ(adopted().packs, 1);
  EXPECT_EQ(adopted().packs, 0);
  EXPECT_THAT(files(FileType::kIndex), SizeIs(1));
}

TEST_F(UnindexedPacks, ThatAreCutShortAreLeftAsTheyAre) {
  store_without_index(2);
  const FileName cut = pack(0);
  memory_.truncate(cut);
  EXPECT_EQ(adopted().packs, 1);
  EXPECT_THAT(left_out(), ElementsAre(HasSubstr(cut.name)));
}

// A page that never reached the disk: the header at the end is right.
TEST_F(UnindexedPacks, WithADamagedPayloadAreLeftAsTheyAreAndNamed) {
  const auto ids = store_without_index(2);
  const FileName damaged = pack(1);
  memory_.damage(damaged);
  EXPECT_EQ(adopted().packs, 1);
  EXPECT_THAT(left_out(), ElementsAre(HasSubstr("pack " + damaged.name + ": its content")));
  const auto repository = memory_.open();
  const auto is_indexed = [&](const BlobId& id) {
    return repository->find_blob(BlobType::kData, id).has_value();
  };
  EXPECT_EQ(std::ranges::count_if(ids, is_indexed), 1);
}

TEST_F(UnindexedPacks, ThatCannotBeReadAreLeftAsTheyAreAndNamed) {
  store_without_index(2);
  memory_.storage().watch([unreadable = pack(0)](const FileName& file) -> Status {
    if (file != unreadable) return {};
    return Error(ErrorKind::kDenied, "read " + file.name + ": permission denied");
  });
  EXPECT_EQ(adopted().packs, 1);
  EXPECT_THAT(left_out(), ElementsAre(HasSubstr("permission denied")));
}

TEST_F(UnindexedPacks, AreAnErrorWhileTheStorageIsAway) {
  store_without_index(2);
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kPack || file.name.empty()) return {};
    return Error(ErrorKind::kUnavailable, "nas: connection reset");
  });
  EXPECT_THAT(adopt(*memory_.open()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(files(FileType::kIndex), IsEmpty());
}

TEST_F(UnindexedPacks, AreReadNoFurtherOnceAStopWasAskedFor) {
  store_without_index(1, 1, 9 << 20);
  std::stop_source stop;
  options_.stop = stop.get_token();
  const auto repository = memory_.open();
  const std::size_t before = memory_.storage().reads(FileType::kPack);
  memory_.storage().watch([&](const FileName& file) -> Status {
    const std::size_t reads = memory_.storage().reads(FileType::kPack) - before;
    if (file.type == FileType::kPack && reads == 2) stop.request_stop();
    return {};
  });
  EXPECT_THAT(adopt(*repository), FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(memory_.storage().reads(FileType::kPack) - before, 2);
}

TEST_F(UnindexedPacks, BeyondTheLimitAreCountedAndNotRead) {
  store_without_index(3);
  options_.most_bytes = 2 * files(FileType::kPack).front().size_bytes;
  EXPECT_EQ(adopted().packs, 2);
  EXPECT_THAT(left_out(), ElementsAre(HasSubstr("1 more packs are in no index")));
}

TEST_F(UnindexedPacks, AreNotTouchedWhileOthersHoldLocks) {
  store_without_index(1);
  write({FileType::kLock, std::string(64, 'a')}, "the lock of this run");
  write({FileType::kLock, std::string(64, 'b')}, "the lock of another backup");
  EXPECT_EQ(adopted().packs, 0);
  memory_.remove({FileType::kLock, std::string(64, 'b')});
  EXPECT_EQ(adopted().packs, 1);
}

TEST_F(UnindexedPacks, ThatABackupHasNamedMeanwhileAreNotNamedAgain) {
  const auto late = memory_.open();
  memory_.builder().add_data("of another backup");
  memory_.builder().finish();
  PackDifferences packs = value_of(compare_packs(*late, soon()));
  EXPECT_THAT(packs.unindexed, SizeIs(1));
  const auto before = files(FileType::kIndex).size();
  EXPECT_EQ(value_of(adopt_packs(*late, std::move(packs.unindexed), options_)).packs, 0);
  EXPECT_THAT(files(FileType::kIndex), SizeIs(before));
}

TEST_F(UnindexedPacks, NoneMeansNoIndex) {
  EXPECT_EQ(adopted().packs, 0);
  EXPECT_THAT(files(FileType::kIndex), IsEmpty());
}

class LostPacks : public ::testing::Test {
 protected:
  // A pack for each blob, all of them in the index.
  std::vector<BlobId> store(unsigned count) {
    const auto repository = memory_.open();
    RepositoryWriter writer(*repository, {.pack_bytes = 1}, {});
    std::vector<BlobId> ids;
    for (unsigned i = 0; i < count; ++i) {
      ids.push_back(value_of(writer.save(BlobType::kData, as_bytes(random_bytes(i, 5000)))).id);
    }
    EXPECT_OK(writer.flush());
    return ids;
  }
  FileName pack_of(const BlobId& id) {
    return {FileType::kPack, memory_.open()->find_blob(BlobType::kData, id)->pack.hex()};
  }
  std::vector<PackId> lost() { return value_of(compare_packs(*memory_.open(), soon())).lost; }

  MemoryRepository memory_{2};
};

TEST_F(LostPacks, AreThoseThatAreMissingOrTooShort) {
  const auto ids = store(3);
  EXPECT_THAT(lost(), IsEmpty());
  const FileName missing = pack_of(ids[0]);
  const FileName cut = pack_of(ids[1]);
  memory_.remove(missing);
  memory_.truncate(cut);
  std::vector<PackId> expected{*PackId::parse(missing.name), *PackId::parse(cut.name)};
  std::ranges::sort(expected);
  EXPECT_EQ(lost(), expected);
  EXPECT_THAT(value_of(compare_packs(*memory_.open(), soon())).unindexed, IsEmpty());
}

TEST_F(LostPacks, ABlobInOneIsStoredAgainAndThenFound) {
  const auto ids = store(2);
  memory_.remove(pack_of(ids[0]));
  const auto repository = memory_.open();
  RepositoryWriter writer(*repository, {.lost_packs = lost()}, {});
  EXPECT_FALSE(writer.has(BlobType::kData, ids[0]));
  EXPECT_TRUE(writer.has(BlobType::kData, ids[1]));
  EXPECT_TRUE(value_of(writer.save(BlobType::kData, as_bytes(random_bytes(0, 5000)))).is_new);
  EXPECT_FALSE(value_of(writer.save(BlobType::kData, as_bytes(random_bytes(1, 5000)))).is_new);
  ASSERT_OK(writer.flush());
  EXPECT_OK(memory_.open()->load(BlobType::kData, ids[0], soon()));

  // It is in a lost pack and in one that is there.
  const auto reopened = memory_.open();
  const RepositoryWriter next(*reopened, {.lost_packs = lost()}, {});
  EXPECT_TRUE(next.has(BlobType::kData, ids[0]));
}

}  // namespace
}  // namespace restree
