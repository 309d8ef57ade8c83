// Which bytes a repository reads from its cache, and which it keeps there.
#include "repo/repository_cache.h"

#include <atomic>
#include <string>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/index/stored_index_format.h"
#include "repo/writer/repository_writer.h"
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

TEST_F(CachedRepository, KeepsTheRepositorysOwnCiphertext) {
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

TEST_F(CachedRepository, ABlobDamagedInTheCacheIsReadAgainAndKeptAgain) {
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
  repository_.reset();  // nothing more comes into the cache
  cache_->set_merged_index({});
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

TEST_F(CachedRepository, FilesThatItWritesAreKept) {
  const auto name =
      value_of(repository_->save_unpacked(FileType::kSnapshot, as_bytes("{}"), soon()));
  EXPECT_THAT(cache_->content().files, Contains(Key(FileName{FileType::kSnapshot, name})));
}

TEST_F(CachedRepository, TheCacheGetsTheNamesOfTheFilesAndPacksThatExist) {
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

// The merged index is used by the next process that opens the repository; each writes it at its
// end.
class MergedIndexOfARepository : public CachedRepository {
 protected:
  MergedIndexOfARepository() { repository_.reset(); }

  // Another backup, by another program.
  BlobId add_blob(const std::string& content) {
    const BlobId id = memory_.builder().add_data(content);
    memory_.builder().finish();
    return id;
  }
  // How many index files `work` reads, from the cache and from the storage.
  template <class Act>
  std::size_t index_reads(Act act) {
    const std::size_t from_storage = reads(FileType::kIndex);
    const std::size_t from_cache = cache_->content().index_reads;
    act();
    return reads(FileType::kIndex) - from_storage + cache_->content().index_reads - from_cache;
  }
  std::string merged() const { return cache_->content().merged_index; }
  void flip_bit_of_merged(std::size_t at) {
    std::string bytes = merged();
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    cache_->set_merged_index(std::move(bytes));
  }
};

TEST_F(MergedIndexOfARepository, SparesTheNextProcessTheIndexFiles) {
  EXPECT_EQ(cache_->content().merged_indexes_kept, 1U);
  EXPECT_EQ(index_reads([&] { repository_ = open(); }), 0U);
  EXPECT_EQ(load(blob_), "content");
  EXPECT_EQ(repository_->index_figures().blobs, 2U);
  EXPECT_EQ(repository_->blob_size(BlobType::kData, blob_), 7U);
  EXPECT_EQ(repository_->blob_size(BlobType::kTree, blob_), std::nullopt);
  EXPECT_THAT(repository_->indexed_packs(), SizeIs(2));
  repository_.reset();
  EXPECT_EQ(cache_->content().merged_indexes_kept, 1U);  // nothing to merge
}

TEST_F(MergedIndexOfARepository, IsCompletedByTheIndexFilesAddedSince) {
  const BlobId second = add_blob("second");
  EXPECT_EQ(index_reads([&] { repository_ = open(); }), 1U);
  EXPECT_EQ(load(blob_), "content");
  EXPECT_EQ(load(second), "second");
  repository_.reset();
  EXPECT_EQ(cache_->content().merged_indexes_kept, 2U);
  EXPECT_EQ(index_reads([&] { repository_ = open(); }), 0U);
  EXPECT_EQ(load(second), "second");
}

TEST_F(MergedIndexOfARepository, IsNotRewrittenForAFewNewBlobs) {
  std::vector<BlobId> ids;
  for (unsigned i = 0; i < 100; ++i) ids.push_back(add_blob(std::to_string(i)));
  repository_ = open();
  repository_.reset();
  const std::size_t kept = cache_->content().merged_indexes_kept;
  const BlobId last = add_blob("last");
  repository_ = open();
  EXPECT_EQ(load(last), "last");
  EXPECT_EQ(load(ids[50]), "50");
  repository_.reset();
  EXPECT_EQ(cache_->content().merged_indexes_kept, kept);
}

TEST_F(MergedIndexOfARepository, IsNotUsedOnceOneOfItsIndexFilesIsGone) {
  ASSERT_OK(
      memory_.storage().remove({FileType::kIndex, cache_->content().indexes.front()}, soon()));
  repository_ = open();
  EXPECT_EQ(repository_->index_figures().blobs, 0U);
  EXPECT_EQ(repository_->blob_size(BlobType::kData, blob_), std::nullopt);
}

TEST_F(MergedIndexOfARepository, DamagedWhereItBeginsOrEndsIsReplaced) {
  const std::string whole = merged();
  for (const std::size_t at : {std::size_t{0}, whole.size() - 1}) {
    cache_->set_merged_index(whole);
    flip_bit_of_merged(at);
    EXPECT_EQ(index_reads([&] { repository_ = open(); }), 1U);
    EXPECT_EQ(load(blob_), "content");
    repository_.reset();
    EXPECT_EQ(index_reads([&] { repository_ = open(); }), 0U);
    EXPECT_EQ(load(blob_), "content");
    repository_.reset();
  }
}

TEST_F(MergedIndexOfARepository, DamagedInsideIsFoundOutByALookUpAndReplaced) {
  flip_bit_of_merged(kStoredPieceBytes + 100);
  EXPECT_EQ(index_reads([&] { repository_ = open(); }), 0U);
  EXPECT_EQ(index_reads([&] {
              EXPECT_EQ(repository_->blob_size(BlobType::kData, blob_), 7U);
              EXPECT_EQ(load(blob_), "content");
              EXPECT_EQ(load(tree_, BlobType::kTree).substr(0, 8), "{\"nodes\"");
            }),
            1U);
  repository_.reset();
  EXPECT_EQ(index_reads([&] { repository_ = open(); }), 0U);
  EXPECT_EQ(load(blob_), "content");
}

TEST_F(MergedIndexOfARepository, DamagedWhileTheIndexFilesAreAwayMakesNoBlobAppear) {
  flip_bit_of_merged(kStoredPieceBytes + 100);
  repository_ = open();
  memory_.storage().watch([](const FileName& file) -> Status {
    if (file.type != FileType::kIndex) return {};
    return Error(ErrorKind::kUnavailable, "the line is down");
  });
  cache_->forget_files();
  EXPECT_EQ(repository_->blob_size(BlobType::kData, blob_), std::nullopt);
  memory_.storage().watch([](const FileName&) -> Status { return {}; });
  EXPECT_EQ(load(blob_), "content");
}

TEST_F(MergedIndexOfARepository, IsNotMadeFromAnIndexFileThatIsDamaged) {
  cache_->set_merged_index("");
  cache_->forget_files();
  ASSERT_OK(memory_.storage().write({FileType::kIndex, std::string(64, 'd')}, as_bytes("damaged"),
                                    soon()));
  repository_ = open();
  EXPECT_EQ(load(blob_), "content");
  repository_.reset();
  EXPECT_EQ(merged(), "");
}

TEST_F(MergedIndexOfARepository, IsNotUsedByARefreshWithAWatch) {
  struct Watch : IndexWatch {
    void pack(const std::string&, const PackId&, std::span<const IndexedBlob>) override { ++packs; }
    void damaged(const std::string&, const Error&) override {}
    std::atomic<int> packs = 0;
  } watch;
  repository_ = value_of(memory_.try_open());
  repository_->use_cache(cache_);
  value_of(repository_->refresh_index(soon(), &watch));
  EXPECT_EQ(watch.packs, 2);
  ASSERT_THAT(repository_->index_parts(), SizeIs(1));
  EXPECT_EQ(repository_->index_parts().front()->blob_count(), 2U);
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

  // Loads the blobs with these numbers.
  std::vector<std::string> load_many(const std::vector<unsigned>& numbers,
                                     std::uint64_t gap_bytes = 1 << 20) {
    std::vector<std::string> loaded(numbers.size());
    BulkOptions options;
    options.limits = BulkLimits{.gap_bytes = gap_bytes};
    BulkLoader loader(*repository_, BlobType::kData, options);
    for (std::uint32_t i = 0; i < numbers.size(); ++i) loader.want(ids_[numbers[i]], i);
    Mutex loading;
    EXPECT_OK(loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) {
      const MutexLock lock(loading);
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

TEST_F(CachedBulkLoad, KeepsOnlyTheWantedBlobs) {
  load_many({1, 6});
  EXPECT_THAT(cache_->content().sealed, SizeIs(2));
}

TEST_F(CachedBulkLoad, ReadsTheBlobsThatTheCacheLacks) {
  load_many({0, 1, 4});
  EXPECT_EQ(reads(FileType::kPack), 1U);
  EXPECT_EQ(load_many(all_), contents_of(all_));
  EXPECT_EQ(reads(FileType::kPack), 2U);
}

TEST_F(CachedBulkLoad, DoesNotReadFarAcrossCachedBlobs) {
  load_many({2, 3, 4, 5});
  EXPECT_EQ(load_many(all_, 200'000), contents_of(all_));
  EXPECT_EQ(reads(FileType::kPack), 3U);
}

TEST_F(CachedBulkLoad, ReadsBlobsAgainThatAreDamagedInTheCache) {
  load_many(all_);
  cache_->damage();
  EXPECT_EQ(load_many(all_), contents_of(all_));
  EXPECT_THAT(cache_->content().rejected, SizeIs(8));
  EXPECT_EQ(reads(FileType::kPack), 2U);
}

}  // namespace
}  // namespace restree
