// What a repository asks its cache for, and what it gives to it.
#include "repo/repository_cache.h"

#include <mutex>
#include <string>
#include <vector>

#include "repo/bulk_load.h"
#include "repo/repository_writer.h"
#include "tests/support/files.h"
#include "tests/support/memory_cache.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using ::testing::Key;
using testing::MemoryCache;
using testing::MemoryRepository;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

class CachedRepository : public ::testing::Test {
 protected:
  CachedRepository() {
    blob_ = memory_.builder().add_data("content");
    tree_ = memory_.builder().add_tree({});
    snapshot_ = memory_.builder().add_snapshot(tree_);
    memory_.builder().finish();
    repository_ = open();
  }

  std::unique_ptr<Repository> open() {
    auto repository = value_of(memory_.try_open());
    repository->use_cache(cache_);
    value_of(repository->refresh_index(soon()));
    return repository;
  }
  std::string load(const BlobId& id, BlobType type = BlobType::kData) {
    const auto blob = repository_->load(type, id, soon());
    return blob ? std::string(as_text((*blob)->view())) : "error: " + blob.error().message();
  }
  std::size_t reads(FileType type) { return memory_.storage().reads(type); }

  MemoryRepository memory_{2};
  std::shared_ptr<MemoryCache> cache_ = std::make_shared<MemoryCache>();
  BlobId blob_;
  BlobId tree_;
  std::string snapshot_;
  std::unique_ptr<Repository> repository_;
};

TEST_F(CachedRepository, ABlobIsReadFromTheStorageOnce) {
  EXPECT_EQ(load(blob_), "content");
  EXPECT_EQ(reads(FileType::kPack), 1U);
  EXPECT_EQ(load(blob_), "content");
  EXPECT_EQ(reads(FileType::kPack), 1U);
}

TEST_F(CachedRepository, WhatIsKeptIsTheRepositorysOwnCiphertext) {
  load(blob_);
  load(tree_, BlobType::kTree);
  const auto content = cache_->content();
  ASSERT_THAT(content.sealed, SizeIs(2));
  for (const BlobId& id : {blob_, tree_}) {
    const FileName pack = memory_.builder().pack_names_of(id).front();
    const Bytes whole = value_of(memory_.storage().read_all(pack, soon()));
    const std::string type = id == blob_ ? "data" : "tree";
    const auto kept = content.sealed.at(pack.name + "/" + type + "/0");
    EXPECT_EQ(kept, as_text(whole.view().first(kept.size())));
  }
}

TEST_F(CachedRepository, WhatIsDamagedInTheCacheIsReadAgainAndKeptAgain) {
  load(blob_);
  const auto whole = cache_->content().sealed;
  cache_->damage();
  EXPECT_EQ(load(blob_), "content");
  EXPECT_EQ(reads(FileType::kPack), 2U);
  EXPECT_THAT(cache_->content().rejected, ElementsAre(whole.begin()->first));
  EXPECT_EQ(cache_->content().sealed, whole);
}

TEST_F(CachedRepository, DamageInTheStorageIsNotKept) {
  const FileName pack = memory_.builder().pack_names_of(blob_).front();
  ASSERT_OK(memory_.storage().write(pack, as_bytes(std::string(200, 'x')), soon()));
  EXPECT_THAT(repository_->load(BlobType::kData, blob_, soon()), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(cache_->content().sealed, IsEmpty());
}

TEST_F(CachedRepository, ABlobInTheCacheNeedsNoStorage) {
  load(blob_);
  memory_.storage().watch(
      [](const FileName&) -> Status { return Error(ErrorKind::kUnavailable, "the line is down"); });
  EXPECT_EQ(load(blob_), "content");
}

TEST_F(CachedRepository, IndexAndSnapshotsAreReadOnceAndListedAlways) {
  const auto ids = value_of(repository_->list_snapshots(soon()));
  ASSERT_THAT(ids, SizeIs(1));
  ASSERT_OK(repository_->load_snapshot(ids.front(), soon()));
  const std::size_t lists = memory_.storage().lists(FileType::kIndex);
  const auto second = open();
  ASSERT_OK(second->load_snapshot(ids.front(), soon()));
  EXPECT_EQ(reads(FileType::kIndex), 1U);
  EXPECT_EQ(reads(FileType::kSnapshot), 1U);
  EXPECT_GT(memory_.storage().lists(FileType::kIndex), lists);
}

TEST_F(CachedRepository, ADamagedFileInTheCacheIsReadAgain) {
  cache_->damage();
  EXPECT_EQ(open()->index_figures().blobs, 2U);
  EXPECT_EQ(reads(FileType::kIndex), 2U);
  EXPECT_EQ(open()->index_figures().blobs, 2U);
  EXPECT_EQ(reads(FileType::kIndex), 2U);
}

TEST_F(CachedRepository, ConfigAndKeyAreKeptAsTheyAre) {
  const auto files = cache_->content().files;
  for (const FileName& file :
       {FileName{FileType::kConfig, ""}, FileName{FileType::kKey, repository_->key_name()}}) {
    const Bytes whole = value_of(memory_.storage().read_all(file, soon()));
    EXPECT_THAT(files, Contains(Pair(file, std::string(as_text(whole)))));
  }
}

TEST_F(CachedRepository, LocksAreNeverKept) {
  const auto name = value_of(repository_->save_unpacked(FileType::kLock, as_bytes("{}"), soon()));
  ASSERT_OK(repository_->load_unpacked({FileType::kLock, name}, soon()));
  EXPECT_THAT(cache_->content().files,
              ::testing::Not(Contains(Key(FileName{FileType::kLock, name}))));
}

TEST_F(CachedRepository, WhatItWritesIsKept) {
  const auto name =
      value_of(repository_->save_unpacked(FileType::kSnapshot, as_bytes("{}"), soon()));
  EXPECT_THAT(cache_->content().files, Contains(Key(FileName{FileType::kSnapshot, name})));
}

TEST_F(CachedRepository, TellsWhichFilesAndPacksThereAre) {
  const auto names = [&](FileType type) {
    std::vector<std::string> all;
    for (const auto& file : value_of(memory_.storage().list(type, soon()))) {
      all.push_back(file.name);
    }
    return all;
  };
  value_of(repository_->list_snapshots(soon()));
  EXPECT_EQ(cache_->content().snapshots, names(FileType::kSnapshot));
  EXPECT_EQ(cache_->content().indexes, names(FileType::kIndex));
  EXPECT_EQ(cache_->content().packs, repository_->indexed_packs());
  EXPECT_THAT(cache_->content().packs, SizeIs(2));
}

// A pack of eight blobs, of 100 KB each.
class CachedBulkLoad : public CachedRepository {
 protected:
  CachedBulkLoad() {
    RepositoryWriter writer(*repository_, {}, {});
    for (unsigned i = 0; i < 8; ++i) {
      contents_.push_back(testing::random_bytes(i, 100'000));
      ids_.push_back(value_of(writer.save(BlobType::kData, as_bytes(contents_.back()))).id);
    }
    EXPECT_OK(writer.flush());
    value_of(repository_->refresh_index(soon()));
  }

  // The blobs with these numbers, as they come.
  std::vector<std::string> load_many(const std::vector<unsigned>& numbers,
                                     std::uint64_t gap_bytes = 1 << 20) {
    std::vector<std::string> loaded(numbers.size());
    BulkOptions options;
    options.limits.gap_bytes = gap_bytes;
    BulkLoader loader(*repository_, BlobType::kData, options);
    for (std::uint32_t i = 0; i < numbers.size(); ++i) loader.want(ids_[numbers[i]], i);
    std::mutex mutex;
    EXPECT_OK(loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) {
      const std::lock_guard lock(mutex);
      for (const BlobUse& use : uses) {
        loaded[use.tag] = blob ? std::string(as_text(*blob)) : blob.error().message();
      }
      return Status();
    }));
    return loaded;
  }
  std::vector<std::string> contents_of(const std::vector<unsigned>& numbers) const {
    std::vector<std::string> wanted;
    for (const unsigned number : numbers) wanted.push_back(contents_[number]);
    return wanted;
  }

  std::vector<BlobId> ids_;
  std::vector<std::string> contents_;
  const std::vector<unsigned> all_{0, 1, 2, 3, 4, 5, 6, 7};
};

TEST_F(CachedBulkLoad, ReadsFromTheStorageOnce) {
  EXPECT_EQ(load_many(all_), contents_of(all_));
  EXPECT_EQ(reads(FileType::kPack), 1U);
  EXPECT_EQ(load_many(all_), contents_of(all_));
  EXPECT_EQ(reads(FileType::kPack), 1U);
}

TEST_F(CachedBulkLoad, KeepsOnlyWhatWasWanted) {
  load_many({1, 6});
  EXPECT_THAT(cache_->content().sealed, SizeIs(2));
}

TEST_F(CachedBulkLoad, ReadsWhatTheCacheHasNot) {
  load_many({0, 1, 4});
  EXPECT_EQ(reads(FileType::kPack), 1U);
  EXPECT_EQ(load_many(all_), contents_of(all_));
  EXPECT_EQ(reads(FileType::kPack), 2U);
}

TEST_F(CachedBulkLoad, DoesNotReadFarAcrossWhatTheCacheHas) {
  load_many({2, 3, 4, 5});
  EXPECT_EQ(load_many(all_, 200'000), contents_of(all_));
  EXPECT_EQ(reads(FileType::kPack), 3U);
}

TEST_F(CachedBulkLoad, ReadsAgainWhatIsDamagedInTheCache) {
  load_many(all_);
  cache_->damage();
  EXPECT_EQ(load_many(all_), contents_of(all_));
  EXPECT_THAT(cache_->content().rejected, SizeIs(8));
  EXPECT_EQ(reads(FileType::kPack), 2U);
}

}  // namespace
}  // namespace restree
