#include "repo/storage/decorators/quarantine_storage.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "repo/storage/local_storage.h"
#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::FailsWith;
using testing::Holds;

FileName named(FileType type, char digit = '7') { return {type, std::string(64, digit)}; }

class QuarantineStorageTest : public ::testing::Test {
 protected:
  void write(const FileName& file, const std::string& content = "content") {
    ASSERT_OK(inner_->write(file, as_bytes(content), Deadline::never()));
  }
  Status remove(const FileName& file) {
    return QuarantineStorage(inner_, kept_).remove(file, Deadline::never());
  }
  static Result<Bytes> content(Storage& storage, const FileName& file) {
    return storage.read_all(file, Deadline::never());
  }

  const std::shared_ptr<MemoryStorage> inner_ = std::make_shared<MemoryStorage>();
  const std::shared_ptr<MemoryStorage> kept_ = std::make_shared<MemoryStorage>();
};

TEST_F(QuarantineStorageTest, KeepsPacksIndexFilesAndSnapshots) {
  for (const FileType type : {FileType::kPack, FileType::kIndex, FileType::kSnapshot}) {
    write(named(type));
    ASSERT_OK(remove(named(type)));
    EXPECT_THAT(content(*inner_, named(type)), FailsWith(ErrorKind::kNotFound));
    EXPECT_THAT(content(*kept_, named(type)), Holds("content"));
  }
}

TEST_F(QuarantineStorageTest, KeepsNoKeysAndLocks) {
  for (const FileType type : {FileType::kKey, FileType::kLock}) {
    write(named(type));
    ASSERT_OK(remove(named(type)));
    EXPECT_THAT(content(*inner_, named(type)), FailsWith(ErrorKind::kNotFound));
    EXPECT_THAT(content(*kept_, named(type)), FailsWith(ErrorKind::kNotFound));
  }
}

TEST_F(QuarantineStorageTest, RemovesNothingThatCannotBeKept) {
  write(named(FileType::kPack));
  kept_->set_capacity(3);
  EXPECT_THAT(remove(named(FileType::kPack)), FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(content(*inner_, named(FileType::kPack)), Holds("content"));
}

// A disk that cannot read one byte of its files.
class Broken final : public ForwardingStorage {
 public:
  Broken(std::shared_ptr<Storage> inner, std::uint64_t byte)
      : ForwardingStorage(std::move(inner)), byte_(byte) {}
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    const bool is_hit = byte_ >= range.offset && byte_ - range.offset < range.length;
    if (is_hit) return Error(ErrorKind::kCorrupt, "input/output error");
    return inner().read(file, range, by);
  }
  Result<Bytes> read_all(const FileName&, Deadline) override {
    return Error(ErrorKind::kCorrupt, "input/output error");
  }

 private:
  const std::uint64_t byte_;
};

TEST_F(QuarantineStorageTest, OfAFileThatTheDiskCannotReadTheRestIsKept) {
  write(named(FileType::kPack), std::string(10'000, 'x'));
  QuarantineStorage storage(std::make_shared<Broken>(inner_, 5000), kept_);
  ASSERT_OK(storage.remove(named(FileType::kPack), Deadline::never()));
  EXPECT_THAT(content(*kept_, named(FileType::kPack)),
              Holds(std::string(4096, 'x') + std::string(4096, '\0') + std::string(1808, 'x')));
  EXPECT_THAT(content(*inner_, named(FileType::kPack)), FailsWith(ErrorKind::kNotFound));
}

TEST_F(QuarantineStorageTest, WhatIsNotThereIsNotFoundAsByAnyStorage) {
  EXPECT_THAT(remove(named(FileType::kPack)), FailsWith(ErrorKind::kNotFound));
}

TEST_F(QuarantineStorageTest, TheNewestOfOneNameIsKept) {
  write(named(FileType::kPack), "before");
  ASSERT_OK(remove(named(FileType::kPack)));
  write(named(FileType::kPack), "after");
  ASSERT_OK(remove(named(FileType::kPack)));
  EXPECT_THAT(content(*kept_, named(FileType::kPack)), Holds("after"));
}

TEST_F(QuarantineStorageTest, MakesTheFoldersThatNobodyElseMayEnter) {
  const testing::TempDir dir;
  const fs::path folder = dir.path() / "new" / "kept";
  write(named(FileType::kSnapshot));
  ASSERT_OK(QuarantineStorage(inner_, make_local_storage(folder.string()))
                .remove(named(FileType::kSnapshot), Deadline::never()));
  EXPECT_TRUE(fs::is_regular_file(folder / "snapshots" / std::string(64, '7')));
  EXPECT_EQ(fs::status(folder).permissions(), fs::perms::owner_all);
}

TEST(QuarantineInside, IsAFolderOfTheRepository) {
  EXPECT_EQ(quarantine_inside("/srv/r"), "/srv/r/quarantine");
  EXPECT_EQ(quarantine_inside("/srv/r/"), "/srv/r/quarantine");
  EXPECT_EQ(quarantine_inside("sftp:u@h:r"), "sftp:u@h:r/quarantine");
  EXPECT_EQ(quarantine_inside("sftp:u@h:"), "sftp:u@h:quarantine");
  EXPECT_EQ(quarantine_inside("sftp://u@h/r"), "sftp://u@h/r/quarantine");
}

}  // namespace
}  // namespace restree
