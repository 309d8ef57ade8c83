// A repository whose storage is out of reach, opened from its cache.
#include <atomic>
#include <memory>
#include <string>

#include "repo/repository_cache.h"
#include "tests/support/memory_cache.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::IsEmpty;
using testing::kPassword;
using testing::MemoryCache;
using testing::MemoryRepository;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class OfflineRepository : public ::testing::Test {
 protected:
  // One blob is in the cache, another is not.
  OfflineRepository() {
    cached_ = memory_.builder().add_data("cached");
    other_ = memory_.builder().add_data("other");
    memory_.builder().add_snapshot(memory_.builder().add_tree({}));
    memory_.builder().finish();
    const auto repository = value_of(memory_.try_open());
    repository->use_cache(cache_);
    value_of(repository->refresh_index(soon()));
    for (const SnapshotId& id : value_of(repository->list_snapshots(soon()))) {
      value_of(repository->load_snapshot(id, soon()));
    }
    value_of(repository->load(BlobType::kData, cached_, soon()));
    memory_.storage().watch([this](const FileName&) -> Status {
      if (!off_) return {};
      return Error(ErrorKind::kUnavailable, "the line is down");
    });
  }

  Result<std::unique_ptr<Repository>> try_open(std::string_view password = kPassword) {
    const std::shared_ptr<Storage> storage(&memory_.storage(), [](Storage*) {});
    return Repository::open_cached(storage, cache_, Secret(std::string(password)), "");
  }
  std::unique_ptr<Repository> open() {
    auto repository = value_of(try_open());
    value_of(repository->refresh_index(soon()));
    return repository;
  }
  void replace_in_cache(FileType type) {
    const auto files = cache_->content().files;
    for (const auto& [file, content] : files) {
      if (file.type == type) cache_->keep(file, as_bytes("damaged"));
    }
  }

  std::atomic<bool> off_ = true;
  MemoryRepository memory_{2};
  std::shared_ptr<MemoryCache> cache_ = std::make_shared<MemoryCache>();
  BlobId cached_;
  BlobId other_;
};

TEST_F(OfflineRepository, ServesTheCachedBlobs) {
  const auto repository = open();
  EXPECT_TRUE(repository->is_offline());
  const auto ids = value_of(repository->list_snapshots(soon()));
  ASSERT_THAT(ids, SizeIs(1));
  EXPECT_OK(repository->load_snapshot(ids.front(), soon()));
  const auto blob = value_of(repository->load(BlobType::kData, cached_, soon()));
  EXPECT_EQ(as_text(blob->view()), "cached");
}

TEST_F(OfflineRepository, ABlobThatIsNotInTheCacheIsOutOfReachAndNotDamaged) {
  const auto repository = open();
  EXPECT_THAT(repository->load(BlobType::kData, other_, soon()),
              FailsWith(ErrorKind::kUnavailable));
  // The cache may have lost the index file that names it.
  const BlobId unknown{{std::byte{7}}};
  EXPECT_THAT(repository->load(BlobType::kData, unknown, soon()),
              FailsWith(ErrorKind::kUnavailable));
}

TEST_F(OfflineRepository, AWrongPasswordIsReportedAsSuch) {
  EXPECT_THAT(try_open("wrong"), FailsWith(ErrorKind::kWrongPassword));
}

TEST_F(OfflineRepository, AConfigThatDoesNotAuthenticateIsNotBelieved) {
  const FileName config{FileType::kConfig, ""};
  const auto files = cache_->content().files;
  std::string bytes = files.at(config);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  cache_->keep(config, as_bytes(bytes));
  EXPECT_THAT(try_open(), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(OfflineRepository, WithoutAnUndamagedKeyFileThereIsNoRepository) {
  replace_in_cache(FileType::kKey);
  EXPECT_THAT(try_open(), FailsWith(ErrorKind::kNoRepository));
}

TEST_F(OfflineRepository, SnapshotsAndIndexesThatAreDamagedAreLeftOut) {
  replace_in_cache(FileType::kSnapshot);
  replace_in_cache(FileType::kIndex);
  const auto repository = open();
  EXPECT_THAT(value_of(repository->list_snapshots(soon())), IsEmpty());
  EXPECT_EQ(repository->index_figures().blobs, 0U);
}

TEST_F(OfflineRepository, AListingOfTheCacheRemovesNothingFromIt) {
  const auto before = cache_->content();
  // Another process might keep a file in the cache while this one lists.
  cache_->keep({FileType::kSnapshot, std::string(64, '1')}, as_bytes("x"));
  const auto repository = open();
  value_of(repository->list_snapshots(soon()));
  const auto after = cache_->content();
  EXPECT_EQ(after.snapshots, before.snapshots);
  EXPECT_EQ(after.indexes, before.indexes);
  EXPECT_EQ(after.packs, before.packs);
}

TEST_F(OfflineRepository, GoesOnlineWithTheFirstListingByTheStorage) {
  const auto repository = open();
  off_ = false;
  const BlobId fresh = memory_.builder().add_data("fresh");
  memory_.builder().add_snapshot(memory_.builder().add_tree({}));
  memory_.builder().finish();
  EXPECT_THAT(value_of(repository->list_snapshots(soon())), SizeIs(2));
  EXPECT_FALSE(repository->is_offline());
  EXPECT_THAT(cache_->content().snapshots, SizeIs(2));
  EXPECT_TRUE(value_of(repository->refresh_index(soon())));
  EXPECT_OK(repository->load(BlobType::kData, fresh, soon()));
  EXPECT_OK(repository->load(BlobType::kData, other_, soon()));
}

TEST_F(OfflineRepository, OnceOnlineAListingComesFromTheStorageOrFails) {
  const auto repository = open();
  off_ = false;
  value_of(repository->list_snapshots(soon()));
  off_ = true;
  EXPECT_THAT(repository->list_snapshots(soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(repository->refresh_index(soon()), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(OfflineRepository, OpenedFromTheStorageItNeverListsTheCache) {
  off_ = false;
  const auto repository = value_of(memory_.try_open());
  repository->use_cache(cache_);
  off_ = true;
  EXPECT_THAT(repository->list_snapshots(soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_FALSE(repository->is_offline());
}

}  // namespace
}  // namespace restree
