// Blobs of a repository, from intact, damaged and missing packs, and such as several packs hold.
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "repo/repository.h"
#include "tests/repo/data_loading.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::load;
using testing::MemoryRepository;
using ::testing::SizeIs;
using testing::soon;
using testing::text_of;
using testing::value_of;

class LoadBlob : public ::testing::Test {
 protected:
  void open() {
    memory_.builder().finish();
    repository_ = memory_.open();
  }

  MemoryRepository memory_;
  const BlobId blob_ = memory_.builder().add_data("content");
  const BlobId other_ = memory_.builder().add_data("other content");
  std::unique_ptr<Repository> repository_;
};

TEST_F(LoadBlob, GivesItsBytes) {
  const BlobId tree = memory_.builder().add_tree({});
  const BlobId empty = memory_.builder().add_data("");
  open();
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
  EXPECT_EQ(text_of(load(*repository_, empty)), "");
  EXPECT_EQ(text_of(repository_->load(BlobType::kTree, tree, soon())), "{\"nodes\":[]}\n");
}

TEST_F(LoadBlob, TellsDataAndTreesOfOneIdApart) {
  memory_.builder().add(BlobType::kTree, "content");
  const BlobId tree = memory_.builder().add(BlobType::kTree, "only a tree");
  open();
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
  EXPECT_THAT(load(*repository_, tree), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(LoadBlob, KnowsItsSizeWithoutReading) {
  open();
  const std::size_t reads = memory_.storage().reads();
  EXPECT_EQ(repository_->blob_size(BlobType::kData, blob_), 7U);
  EXPECT_EQ(repository_->blob_size(BlobType::kTree, blob_), std::nullopt);
  EXPECT_EQ(repository_->blob_size(BlobType::kData, BlobId{}), std::nullopt);
  EXPECT_EQ(memory_.storage().reads(), reads);
}

TEST_F(LoadBlob, InADamagedPackIsCorruptAndNamesBlobAndPack) {
  open();
  const FileName pack = memory_.builder().pack_names_of(blob_)[0];
  const Bytes whole = value_of(memory_.storage().read_all(pack, soon()));
  std::string bytes(as_text(whole));
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  ASSERT_OK(memory_.storage().write(pack, as_bytes(bytes), soon()));
  const auto blob = load(*repository_, blob_);
  ASSERT_THAT(blob, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(blob.error().message(), AllOf(HasSubstr(blob_.hex()), HasSubstr(pack.name)));
  EXPECT_EQ(text_of(load(*repository_, other_)), "other content");
}

TEST_F(LoadBlob, IsReadOnceMoreIfTheLineGarbledIt) {
  open();
  const FileName pack = memory_.builder().pack_names_of(blob_)[0];
  std::atomic<int> reads = 0;
  memory_.storage().watch([&](const FileName& file) -> Status {
    if (file == pack && ++reads == 1) return Error(ErrorKind::kCorrupt, "garbled");
    return {};
  });
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
  EXPECT_EQ(reads, 2);
}

TEST_F(LoadBlob, InATruncatedPackIsCorrupt) {
  open();
  const FileName pack = memory_.builder().pack_names_of(blob_)[0];
  ASSERT_OK(memory_.storage().write(pack, as_bytes("short"), soon()));
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(LoadBlob, InAMissingPackIsCorruptNeverNotFound) {
  open();
  memory_.remove_packs_of(blob_);
  const auto blob = load(*repository_, blob_);
  ASSERT_THAT(blob, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(blob.error().message(), HasSubstr(blob_.hex()));
}

TEST_F(LoadBlob, ThatNoIndexNamesIsCorruptNeverNotFound) {
  open();
  EXPECT_THAT(load(*repository_, BlobId{}), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(LoadBlob, ThatIsNotItsHashIsCorrupt) {
  BlobId pretended;
  pretended.bytes.fill(std::byte{7});
  memory_.builder().add_as(pretended, BlobType::kData, "not what hashes to 0707…");
  open();
  EXPECT_THAT(load(*repository_, pretended), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(LoadBlob, OutOfReachIsUnavailable) {
  open();
  memory_.storage().watch(
      [](const FileName&) -> Status { return Error(ErrorKind::kUnavailable, "the line is down"); });
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kUnavailable));
  memory_.storage().watch({});
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
}

class LoadDuplicate : public LoadBlob {
 protected:
  LoadDuplicate() {
    memory_.builder().add_data("content");
    open();
    packs_ = memory_.builder().pack_names_of(blob_);
  }
  void garble(const FileName& pack) {
    ASSERT_OK(memory_.storage().write(pack, as_bytes(std::string(200, 'x')), soon()));
  }
  std::vector<FileName> packs_;
};

TEST_F(LoadDuplicate, IsReadFromTheOtherPackWhicheverIsDamaged) {
  ASSERT_THAT(packs_, SizeIs(2));
  for (const FileName& pack : packs_) {
    const Bytes whole = value_of(memory_.storage().read_all(pack, soon()));
    garble(pack);
    EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
    ASSERT_OK(memory_.storage().write(pack, whole, soon()));
  }
}

TEST_F(LoadDuplicate, IsReadFromTheOtherPackWhicheverIsMissing) {
  for (const FileName& pack : packs_) {
    const Bytes whole = value_of(memory_.storage().read_all(pack, soon()));
    memory_.remove(pack);
    EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
    ASSERT_OK(memory_.storage().write(pack, whole, soon()));
  }
}

TEST_F(LoadDuplicate, IsCorruptOnceEveryCopyIs) {
  for (const FileName& pack : packs_) garble(pack);
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(LoadDuplicate, OfWhichOneIsDamagedAndOneGoneIsCorrupt) {
  garble(packs_[0]);
  memory_.remove(packs_[1]);
  EXPECT_THAT(load(*repository_, blob_), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(LoadDuplicate, ThatIsDamagedIsLookedForInANewerIndex) {
  garble(packs_[0]);
  memory_.remove(packs_[1]);
  memory_.builder().add_data("content");
  memory_.builder().finish();
  EXPECT_EQ(text_of(load(*repository_, blob_)), "content");
}

}  // namespace
}  // namespace restree
