#include "repo/unindexed_packs.h"

#include "repo/crypto/sha256.h"
#include "repo/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::IsEmpty;
using testing::MemoryRepository;
using testing::random_bytes;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class UnindexedPacks : public ::testing::Test {
 protected:
  // Stores blobs, and never comes to write an index.
  std::vector<BlobId> store_without_index(unsigned count) {
    memory_.storage().watch_writes([](const FileName& file) -> Status {
      if (file.type != FileType::kIndex) return {};
      return Error(ErrorKind::kCancelled, "killed");
    });
    const auto repository = memory_.open();
    RepositoryWriter writer(*repository, {.pack_bytes = 1}, {});
    std::vector<BlobId> ids;
    for (unsigned i = 0; i < count; ++i) {
      ids.push_back(value_of(writer.save(BlobType::kData, as_bytes(random_bytes(i, 5000)))).id);
    }
    EXPECT_FALSE(writer.flush());
    memory_.storage().watch_writes({});
    return ids;
  }

  MemoryRepository memory_{2};
};

TEST_F(UnindexedPacks, AreFoundAndNamed) {
  const auto ids = store_without_index(3);
  const auto repository = memory_.open();
  const auto adopted = value_of(adopt_unindexed_packs(*repository, soon()));
  EXPECT_EQ(adopted.packs, 3);
  EXPECT_EQ(adopted.blobs, 3);
  for (const BlobId& id : ids) {
    EXPECT_OK(repository->load(BlobType::kData, id, soon()));
    EXPECT_OK(memory_.open()->load(BlobType::kData, id, soon()));
  }
}

TEST_F(UnindexedPacks, WithAHeaderLongerThanTheFirstReadToo) {
  const auto repository = memory_.open();
  memory_.storage().watch_writes([](const FileName& file) -> Status {
    if (file.type != FileType::kIndex) return {};
    return Error(ErrorKind::kCancelled, "killed");
  });
  RepositoryWriter writer(*repository, {}, {});
  for (unsigned i = 0; i < 300; ++i) {
    ASSERT_OK(writer.save(BlobType::kData, as_bytes(random_bytes(i, 10))));
  }
  EXPECT_FALSE(writer.flush());
  memory_.storage().watch_writes({});
  EXPECT_EQ(value_of(adopt_unindexed_packs(*memory_.open(), soon())).blobs, 300);
}

TEST_F(UnindexedPacks, AreNotLookedForTwice) {
  store_without_index(1);
  EXPECT_EQ(value_of(adopt_unindexed_packs(*memory_.open(), soon())).packs, 1);
  EXPECT_EQ(value_of(adopt_unindexed_packs(*memory_.open(), soon())).packs, 0);
  EXPECT_THAT(value_of(memory_.storage().list(FileType::kIndex, soon())), SizeIs(1));
}

TEST_F(UnindexedPacks, ThatAreCutShortAreLeftAsTheyAre) {
  store_without_index(2);
  const auto packs = value_of(memory_.storage().list(FileType::kPack, soon()));
  memory_.truncate({FileType::kPack, packs[0].name});
  EXPECT_EQ(value_of(adopt_unindexed_packs(*memory_.open(), soon())).packs, 1);
}

TEST_F(UnindexedPacks, NoneMeansNoIndex) {
  EXPECT_EQ(value_of(adopt_unindexed_packs(*memory_.open(), soon())).packs, 0);
  EXPECT_THAT(value_of(memory_.storage().list(FileType::kIndex, soon())), IsEmpty());
}

}  // namespace
}  // namespace restree
