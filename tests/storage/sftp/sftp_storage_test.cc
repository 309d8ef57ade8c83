// SftpStorage on a server that refuses some requests without a reason, as the protocol has it for
// trouble of every kind.
#include "repo/storage/sftp/sftp_storage.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/storage/sftp/disk_server.h"

namespace restree::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

const FileName kIndexFile{FileType::kIndex, std::string(64, 'a')};
const FileName kOther{FileType::kIndex, std::string(64, 'b')};

TEST_F(SftpStorageTest, AServerThatHoldsFewFilesOpenIsReadFromAsAnyOther) {
  constexpr int kPacks = 60;
  for (int i = 0; i < kPacks; ++i) put(pack(i), "pack " + std::to_string(i));
  disk_.most_handles = 8;
  for (int i = 0; i < kPacks; ++i) {
    const std::string content = "pack " + std::to_string(i);
    EXPECT_THAT(storage().read(pack(i), {0, content.size()}, soon()), Holds(content)) << i;
  }
  EXPECT_THAT(storage().read_all({FileType::kConfig, ""}, soon()), Holds("config"));
  EXPECT_EQ(disk_.connections, 1U);
}

TEST_F(SftpStorageTest, ManyReadersShareTheFewFilesThatAServerHoldsOpen) {
  constexpr int kReaders = 24;
  constexpr int kRounds = 20;
  for (int i = 0; i < kReaders; ++i) put(pack(i), "pack " + std::to_string(i));
  disk_.most_handles = 3;
  storage();
  std::vector<std::jthread> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        const int number = (i + round) % kReaders;
        const std::string content = "pack " + std::to_string(number);
        EXPECT_THAT(storage().read(pack(number), {0, content.size()}, soon()), Holds(content));
        EXPECT_THAT(storage().read_all(pack(number), soon()), Holds(content));
      }
    });
  }
}

TEST_F(SftpStorageTest, ListingsOfAServerThatHoldsFewFoldersOpenAreWhole) {
  constexpr std::size_t kPacks = 60;
  for (std::size_t i = 0; i < kPacks; ++i) {
    put(pack(static_cast<int>(i)), "pack");
    const MutexLock lock(disk_.mutex);
    disk_.files[fmt::format("repo/data/{:02x}", i)] = {.content = {}, .mode = kFolder};
  }
  disk_.most_handles = 3;
  // Two of the three are taken by packs that are open.
  ASSERT_OK(storage().read(pack(1), {0, 4}, soon()));
  ASSERT_OK(storage().read(pack(2), {0, 4}, soon()));
  EXPECT_EQ(value_of(storage().list(FileType::kPack, soon())).size(), kPacks);
}

TEST_F(SftpStorageTest, AFileThatTheServerCannotReadIsCorruptWhileOthersCanBeRead) {
  put(kOther, "content");
  for (const Disk::File& odd : {Disk::File{.content = "content", .fails = true},
                                Disk::File{.content = {}, .mode = kLink, .target_mode = 0},
                                Disk::File{.content = "content", .mode = kFolder, .fails = true}}) {
    make_odd(kIndexFile, odd);
    const auto content = storage().read_all(kIndexFile, soon());
    ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(content.error().message(),
                HasSubstr(odd.mode == kFolder ? "a regular file" : "failure"));
    EXPECT_THAT(storage().read(kIndexFile, {0, 1}, soon()), FailsWith(ErrorKind::kCorrupt));
    EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  }
}

TEST_F(SftpStorageTest, AServerThatCanReadNothingIsUnavailable) {
  for (const FileName& file : {kIndexFile, FileName{FileType::kConfig, ""}}) {
    make_odd(file, {.content = "content", .fails = true});
  }
  EXPECT_THAT(storage().read_all(kIndexFile, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage().read_all({FileType::kConfig, ""}, soon()),
              FailsWith(ErrorKind::kUnavailable));
}

TEST_F(SftpStorageTest, AFifoBlocksOneConnectionAndIsThenNamed) {
  silence_ = 200ms;
  put(kOther, "content");
  make_odd(kIndexFile, {.content = {}, .mode = kFifo, .blocks = true});
  EXPECT_THAT(storage().read_all(kIndexFile, soon()), FailsWith(ErrorKind::kUnavailable));
  const auto content = storage().read_all(kIndexFile, soon());
  ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(content.error().message(), HasSubstr("is a FIFO"));
  EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  EXPECT_EQ(std::ranges::count(disk_.opened, path_of(kIndexFile)), 1);
}

// What is opened for reads to come costs a blocked connection once as well.
TEST_F(SftpStorageTest, AnExpectedFifoIsOpenedOnceAndThenNamed) {
  silence_ = 200ms;
  put(kOther, "content");
  make_odd(kIndexFile, {.content = {}, .mode = kFifo, .blocks = true});
  EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  storage().expect(kIndexFile, {0, 1});
  EXPECT_THAT(storage().read(kIndexFile, {0, 1}, soon()), FailsWith(ErrorKind::kUnavailable));
  storage().expect(kIndexFile, {0, 1});
  const auto content = storage().read(kIndexFile, {0, 1}, soon());
  ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(content.error().message(), HasSubstr("is a FIFO"));
  EXPECT_THAT(storage().read_all(kOther, soon()), Holds("content"));
  EXPECT_EQ(std::ranges::count(disk_.opened, path_of(kIndexFile)), 1);
}

TEST_F(SftpStorageTest, ListingsNameOnceWhatIsNoRegularFileAndFollowLinks) {
  put(kOther, "content");
  const FileName linked{FileType::kIndex, std::string(64, 'c')};
  make_odd(linked, {.content = "linked", .mode = kLink, .target_mode = kRegular});
  make_odd(kIndexFile, {.content = {}, .mode = kFifo});
  make_odd({FileType::kIndex, std::string(64, 'd')}, {.content = {}, .mode = kFolder});
  make_odd({FileType::kIndex, std::string(64, 'e')},
           {.content = {}, .mode = kLink, .target_mode = 0});
  make_odd({FileType::kIndex, std::string(64, 'f')},
           {.content = {}, .mode = kLink, .target_mode = kFifo});
  make_odd({FileType::kIndex, std::string(64, '9')},
           {.content = {}, .mode = kLink, .is_dangling = true});
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    std::vector<std::string> names;
    for (const ListedFile& file : value_of(storage().list(FileType::kIndex, soon()))) {
      names.push_back(file.name);
    }
    std::ranges::sort(names);
    EXPECT_THAT(names, ElementsAre(kOther.name, linked.name));
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 5) << log;
  EXPECT_THAT(log, HasSubstr(path_of(kIndexFile) + " is a FIFO"));
  EXPECT_THAT(log, HasSubstr("is a link that leads nowhere"));
}

TEST_F(SftpStorageTest, WhatAServerNamesTwiceIsListedOnce) {
  put(kIndexFile, "content");
  put(kOther, "content");
  put(pack(1), "pack");
  make_odd({FileType::kIndex, std::string(64, 'c')}, {.content = "linked", .mode = kLink});
  {
    const MutexLock lock(disk_.mutex);
    disk_.files["repo/data/01"] = {.content = {}, .mode = kFolder};
    disk_.names_twice = true;
  }
  EXPECT_EQ(value_of(storage().list(FileType::kIndex, soon())).size(), 3U);
  EXPECT_EQ(value_of(storage().list(FileType::kPack, soon())).size(), 1U);
}

// One that is left out would pass for a forgotten one, and its data for free.
TEST_F(SftpStorageTest, WhatLiesInThePlaceOfASnapshotIsListedAndBlocksNoConnection) {
  const std::map<char, Disk::File> odd{
      {'a', {.content = {}, .mode = kFifo, .blocks = true}},
      {'b', {.content = {}, .mode = kFolder}},
      {'c', {.content = {}, .mode = kLink, .target_mode = 0}},
      {'d', {.content = {}, .mode = kLink, .target_mode = kFifo, .blocks = true}},
      {'e', {.content = {}, .mode = kLink, .is_dangling = true}}};
  const FileName good{FileType::kSnapshot, std::string(64, 'f')};
  put(good, "content");
  for (const auto& [digit, file] : odd)
    make_odd({FileType::kSnapshot, std::string(64, digit)}, file);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(value_of(storage().list(FileType::kSnapshot, soon())).size(), 6U);
    for (const auto& [digit, file] : odd) {
      EXPECT_THAT(storage().read_all({FileType::kSnapshot, std::string(64, digit)}, soon()),
                  FailsWith(ErrorKind::kCorrupt))
          << digit;
    }
    EXPECT_THAT(storage().read_all(good, soon()), Holds("content"));
  }
  // To open a link that leads in a circle fails at once.
  const std::string circle = path_of({FileType::kSnapshot, std::string(64, 'c')});
  const std::string config = path_of({FileType::kConfig, ""});
  EXPECT_THAT(disk_.opened, Each(AnyOf(path_of(good), circle, config)));
  make_odd({FileType::kSnapshot, std::string(64, 'a')}, {.content = "good again"});
  EXPECT_THAT(storage().read_all({FileType::kSnapshot, std::string(64, 'a')}, soon()),
              Holds("good again"));
}

TEST_F(SftpStorageTest, AFolderInThePlaceOfAFileIsRemovedIfItIsEmpty) {
  make_odd(kIndexFile, {.content = {}, .mode = kFolder});
  make_odd(kOther, {.content = {}, .mode = kFolder});
  const std::string inside = path_of(kOther) + "/file";
  {
    const MutexLock lock(disk_.mutex);
    disk_.files[inside] = {.content = "content"};
  }
  EXPECT_OK(storage().remove(kIndexFile, soon()));
  const Status filled = storage().remove(kOther, soon());
  ASSERT_THAT(filled, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(filled.error().message(), HasSubstr("a folder with files in it"));
  EXPECT_THAT(paths(), ElementsAre(path_of({FileType::kConfig, ""}), path_of(kOther), inside));
  EXPECT_THAT(storage().remove(pack(1), soon()), FailsWith(ErrorKind::kNotFound));
}

TEST_F(SftpStorageTest, TheTemporaryFileOfACutConnectionIsRemovedByTheNextWrite) {
  disk_.hangs_up_on_write = true;
  EXPECT_THAT(storage().write(pack(1), as_bytes("content"), soon()),
              FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(paths().size(), 2U) << "the config and a temporary file";
  static_cast<void>(storage().write(kOther, {}, soon()));
  EXPECT_THAT(paths(), ElementsAre(path_of({FileType::kConfig, ""}), path_of(kOther)));
}

TEST_F(SftpStorageTest, AFileThatIsTooLargeForItsTypeIsNotReadIntoMemory) {
  const FileName key{FileType::kKey, std::string(64, '1')};
  put(key, std::string(most_file_bytes(FileType::kKey) + 1, 'x'));
  const auto content = storage().read_all(key, soon());
  ASSERT_THAT(content, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(content.error().message(), HasSubstr("too many for its kind"));
}

}  // namespace
}  // namespace restree::testing
