#include "repo/repository.h"

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/memory_repository.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kPassword;
using testing::MemoryRepository;
using ::testing::SizeIs;
using testing::soon;
using testing::value_of;

const FileName kConfigFile{FileType::kConfig, ""};

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
