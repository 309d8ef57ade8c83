#include "repo/repository.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/support/gate.h"
#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPassword;
using testing::MemoryRepository;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

const FileName kConfigFile{FileType::kConfig, ""};

std::string text_of(const Result<SharedBlob>& blob) {
  return blob ? std::string(as_text((*blob)->view())) : "error: " + blob.error().message();
}

Result<SharedBlob> load(Repository& repository, const BlobId& id) {
  return repository.load(BlobType::kData, id, soon());
}

// --- open ---------------------------------------------------------------------------------------

TEST(OpenRepository, ReadsItsConfig) {
  for (const std::uint32_t version : {1U, 2U}) {
    MemoryRepository memory(version);
    const auto repository = value_of(memory.try_open());
    EXPECT_EQ(repository->config().version, version);
    EXPECT_EQ(repository->config().chunker_polynomial, 0x3da3358b4dc173U);
  }
}

TEST(OpenRepository, TakesThePasswordOfAnyKey) {
  MemoryRepository memory;
  for (const char* password : {"second", "third"}) memory.builder().add_key(password);
  for (const char* password : {kPassword, "second", "third"}) {
    EXPECT_OK(memory.try_open(password));
  }
}

TEST(OpenRepository, TriesTheKeyHintedAtFirst) {
  MemoryRepository memory;
  for (const char* password : {"second", "third", "fourth"}) {
    const std::string name = memory.builder().add_key(password);
    const std::size_t before = memory.storage().reads(FileType::kKey);
    EXPECT_OK(memory.try_open(password, name.substr(0, 8)));
    EXPECT_EQ(memory.storage().reads(FileType::kKey), before + 1);
  }
}

TEST(OpenRepository, HintedAtTheWrongKeyTriesTheOthers) {
  MemoryRepository memory;
  const std::string other = memory.builder().add_key("other");
  EXPECT_OK(memory.try_open(kPassword, other));
  EXPECT_OK(memory.try_open(kPassword, "0123456789"));
}

TEST(OpenRepository, WithTheWrongPasswordSaysHowManyKeysItTried) {
  MemoryRepository memory;
  memory.builder().add_key("other");
  const auto opened = memory.try_open("no such password");
  ASSERT_THAT(opened, FailsWith(ErrorKind::kWrongPassword));
  EXPECT_THAT(opened.error().message(), HasSubstr("none of the 2 key files"));
}

TEST(OpenRepository, WithoutConfigIsNoRepository) {
  MemoryRepository memory;
  memory.remove(kConfigFile);
  EXPECT_THAT(memory.try_open(), FailsWith(ErrorKind::kNoRepository));
}

TEST(OpenRepository, WithAnEmptyConfigIsDamaged) {
  MemoryRepository memory;
  ASSERT_OK(memory.storage().write(kConfigFile, {}, soon()));
  EXPECT_THAT(memory.try_open(), FailsWith(ErrorKind::kCorrupt));
}

TEST(OpenRepository, WithADamagedConfigIsDamaged) {
  MemoryRepository memory;
  memory.damage(kConfigFile);
  EXPECT_THAT(memory.try_open(), FailsWith(ErrorKind::kCorrupt));
}

TEST(OpenRepository, OfAFutureVersionIsUnsupported) {
  EXPECT_THAT(MemoryRepository(3).try_open(), FailsWith(ErrorKind::kUnsupported));
}

TEST(OpenRepository, WithoutKeysFails) {
  MemoryRepository memory;
  for (const ListedFile& key : value_of(memory.storage().list(FileType::kKey, soon()))) {
    memory.remove({FileType::kKey, key.name});
  }
  const auto opened = memory.try_open();
  ASSERT_THAT(opened, FailsWith(ErrorKind::kWrongPassword));
  EXPECT_THAT(opened.error().message(), HasSubstr("no key file"));
}

TEST(OpenRepository, PassesOverADamagedKey) {
  MemoryRepository memory;
  const std::string damaged = memory.builder().add_key("other");
  memory.damage({FileType::kKey, damaged});
  EXPECT_OK(memory.try_open(kPassword, damaged));
  // One of several keys is damaged: it is not known whether the password belongs to that one.
  EXPECT_THAT(memory.try_open("other"), FailsWith(ErrorKind::kWrongPassword));
}

TEST(OpenRepository, WithOnlyADamagedKeyBlamesTheKeyNotThePassword) {
  MemoryRepository memory;
  const auto keys = value_of(memory.storage().list(FileType::kKey, soon()));
  ASSERT_THAT(keys, SizeIs(1));
  memory.damage({FileType::kKey, keys[0].name});
  EXPECT_THAT(memory.try_open(), FailsWith(ErrorKind::kCorrupt));
}

TEST(OpenRepository, PassesOverAKeyOfAnUnknownKind) {
  MemoryRepository memory;
  const std::string name = memory.builder().add_file(
      FileType::kKey, as_bytes(R"({"kdf":"argon2","N":1,"r":1,"p":1,"salt":"","data":""})"));
  EXPECT_OK(memory.try_open(kPassword, name));
}

TEST(OpenRepository, OfAStorageOutOfReachIsUnavailable) {
  MemoryRepository memory;
  for (const FileType type : {FileType::kConfig, FileType::kKey}) {
    memory.storage().watch([type](const FileName& file) -> Status {
      if (file.type == type) return Error(ErrorKind::kUnavailable, "the line is down");
      return {};
    });
    EXPECT_THAT(memory.try_open(), FailsWith(ErrorKind::kUnavailable));
  }
}

// --- load ---------------------------------------------------------------------------------------

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

// --- index --------------------------------------------------------------------------------------

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
  memory_.builder().add_sealed(FileType::kIndex, "[\"not\", \"an index\"");
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

// --- snapshots ----------------------------------------------------------------------------------

class Snapshots : public ::testing::Test {
 protected:
  SnapshotId only_id() {
    const auto ids = value_of(repository_->list_snapshots(soon()));
    EXPECT_THAT(ids, SizeIs(1));
    return ids.at(0);
  }
  FileName only_file() { return {FileType::kSnapshot, only_id().hex()}; }

  MemoryRepository memory_;
  std::unique_ptr<Repository> repository_ = memory_.open();
};

TEST_F(Snapshots, AreListedAndLoaded) {
  EXPECT_THAT(value_of(repository_->list_snapshots(soon())), IsEmpty());
  const BlobId tree = memory_.builder().add_tree({});
  const std::string short_id = memory_.builder().add_snapshot(
      tree, {.paths = {"/a", "/b"}, .tags = {"app=x"}, .hostname = "nas"});
  const Snapshot snapshot = value_of(repository_->load_snapshot(only_id(), soon()));
  EXPECT_EQ(snapshot.id.short_hex(), short_id);
  EXPECT_EQ(snapshot.tree, tree);
  EXPECT_THAT(snapshot.paths, ElementsAre("/a", "/b"));
  EXPECT_THAT(snapshot.tags, ElementsAre("app=x"));
  EXPECT_EQ(snapshot.hostname, "nas");
}

TEST_F(Snapshots, ThatAreDamagedAreCorrupt) {
  memory_.builder().add_snapshot(BlobId{});
  memory_.damage(only_file());
  EXPECT_THAT(repository_->load_snapshot(only_id(), soon()), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(Snapshots, ThatAreForgottenAreNotFound) {
  memory_.builder().add_snapshot(BlobId{});
  const SnapshotId id = only_id();
  memory_.remove(only_file());
  EXPECT_THAT(repository_->load_snapshot(id, soon()), FailsWith(ErrorKind::kNotFound));
}

TEST_F(Snapshots, SealedOverSomethingElseAreCorrupt) {
  memory_.builder().add_sealed(FileType::kSnapshot, "{\"paths\":[");
  EXPECT_THAT(repository_->load_snapshot(only_id(), soon()), FailsWith(ErrorKind::kCorrupt));
}

}  // namespace
}  // namespace restree
