// What every Storage promises, whatever lies behind it; all of them pass it.
//
// One instance a kind of storage; what serves it (an SSH server) lives as long as the instance.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "repo/base/clock.h"
#include "repo/storage/storage.h"
#include "tests/support/matchers.h"

namespace restree::testing {

// A storage and what it stands on.
class StorageUnderTest {
 public:
  virtual ~StorageUnderTest() = default;
  virtual Storage& storage() = 0;
  // Puts a file beside those of the repository, as another program would.
  virtual void put_stray(const std::string& relative_path) = 0;
  // The same, last written so long ago.
  virtual void put_stray(const std::string& relative_path, std::chrono::hours age) = 0;
  virtual bool has_stray(const std::string& relative_path) = 0;
  // False: there is no room for them.
  virtual bool keeps_strays() const { return true; }
  // Whether it puts files together by itself.
  virtual bool joins() const { return false; }
};

struct StorageKind {
  std::string name;
  std::function<std::unique_ptr<StorageUnderTest>()> make;
};

inline void PrintTo(const StorageKind& kind, std::ostream* out) { *out << kind.name; }

class StorageContract : public ::testing::TestWithParam<StorageKind> {
 protected:
  StorageContract() : under_test_(GetParam().make()) { EXPECT_OK(storage().make_folders(soon())); }

  // One where not even the folders are made.
  static std::unique_ptr<StorageUnderTest> make_fresh() { return GetParam().make(); }
  Storage& storage() { return under_test_->storage(); }
  StorageUnderTest& under_test() { return *under_test_; }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
  static FileName pack(char digit) { return {FileType::kPack, std::string(64, digit)}; }

 private:
  std::unique_ptr<StorageUnderTest> under_test_;
};

inline std::vector<std::string> sorted_names(std::vector<ListedFile> files) {
  std::vector<std::string> names;
  for (auto& file : files) names.push_back(std::move(file.name));
  std::sort(names.begin(), names.end());
  return names;
}

inline std::string noise_of(std::size_t size) {
  std::string content(size, '\0');
  std::uint32_t state = 1;
  for (char& c : content) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return content;
}

TEST_P(StorageContract, CanBeReached) { EXPECT_OK(storage().reach(soon())); }

TEST_P(StorageContract, ReadsBackWhatWasWritten) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 4, .length = 3}, soon()), Holds("456"));
  EXPECT_THAT(storage().read_all(pack('7'), soon()), Holds("0123456789"));
  EXPECT_EQ(value_of(storage().size(pack('7'), soon())), 10U);
}

TEST_P(StorageContract, RangePastTheEndIsAnErrorNeverAShortRead) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 8, .length = 3}, soon()),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 10, .length = 1}, soon()),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 1000, .length = 1000}, soon()),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 8, .length = 2}, soon()), Holds("89"));
}

TEST_P(StorageContract, ReadsIntoMemoryThatIsUsedAgain) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  Bytes buffer;
  const auto read = [&](const FileName& file, ByteRange range) -> Result<std::string> {
    ASSIGN_OR_RETURN(const MutableByteView bytes, storage().read_into(buffer, file, range, soon()));
    if (!bytes.empty()) {
      EXPECT_GE(bytes.data(), buffer.data());
      EXPECT_LE(bytes.data() + bytes.size(), buffer.data() + buffer.size());
    }
    return std::string(as_text(bytes));
  };
  EXPECT_EQ(value_of(read(pack('7'), {.offset = 4, .length = 3})), "456");
  EXPECT_EQ(value_of(read(pack('7'), {.offset = 0, .length = 10})), "0123456789");
  EXPECT_EQ(value_of(read(pack('7'), {.offset = 1, .length = 2})), "12");
  EXPECT_EQ(value_of(read(pack('7'), {.offset = 3, .length = 0})), "");
  EXPECT_THAT(read(pack('7'), {.offset = 8, .length = 3}), FailsWith(ErrorKind::kCorrupt));
  // So much more that no memory should be taken for it.
  EXPECT_THAT(read(pack('7'), {.offset = 8, .length = 100 << 20}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(read(pack('0'), {.offset = 0, .length = 1}), FailsWith(ErrorKind::kNotFound));
  EXPECT_EQ(value_of(read(pack('7'), {.offset = 8, .length = 2})), "89");
}

TEST_P(StorageContract, WhatIsExpectedNeedNotBeThere) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  storage().expect(pack('7'), {.offset = 4, .length = 3});
  storage().expect(pack('7'), {.offset = 1000, .length = 1000});
  storage().expect(pack('0'), {.offset = 0, .length = 1});
  EXPECT_THAT(storage().read(pack('7'), {.offset = 4, .length = 3}, soon()), Holds("456"));
}

TEST_P(StorageContract, AnEmptyRangeIsEmpty) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 3, .length = 0}, soon()), Holds(""));
}

TEST_P(StorageContract, AnEmptyFileIsAFile) {
  ASSERT_OK(storage().write(pack('7'), {}, soon()));
  EXPECT_THAT(storage().read_all(pack('7'), soon()), Holds(""));
  EXPECT_EQ(value_of(storage().size(pack('7'), soon())), 0U);
}

TEST_P(StorageContract, WhatIsNotThereIsNotFound) {
  const FileName nothing = pack('0');
  EXPECT_THAT(storage().read(nothing, {.offset = 0, .length = 1}, soon()),
              FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(storage().read_all(nothing, soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(storage().read_all({FileType::kConfig, ""}, soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(storage().size(nothing, soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(storage().remove(nothing, soon()), FailsWith(ErrorKind::kNotFound));
}

TEST_P(StorageContract, AMissingFolderIsAnEmptyList) {
  const auto fresh = make_fresh();
  for (const auto type :
       {FileType::kKey, FileType::kLock, FileType::kSnapshot, FileType::kIndex, FileType::kPack}) {
    EXPECT_TRUE(value_of(fresh->storage().list(type, soon())).empty());
    EXPECT_TRUE(value_of(storage().list(type, soon())).empty());
  }
}

// A mount point whose disk is not there stays empty.
TEST_P(StorageContract, AWriteMakesNoFolderWhereNoConfigIs) {
  if (!under_test().keeps_strays()) GTEST_SKIP() << "it has no folders";
  const auto fresh = make_fresh();
  for (const FileName& file : {pack('7'), FileName{FileType::kIndex, std::string(64, 'a')},
                               FileName{FileType::kSnapshot, std::string(64, 'a')},
                               FileName{FileType::kLock, std::string(64, 'a')}}) {
    EXPECT_THAT(fresh->storage().write(file, as_bytes("0123"), soon()),
                FailsWith(ErrorKind::kNotFound));
    EXPECT_FALSE(fresh->has_stray(std::string(directory_of(file.type)))) << relative_path(file);
  }
}

// As a repository may be whose empty folders were lost when it was copied.
TEST_P(StorageContract, AWriteMakesTheFolderThatIsMissingBesideAConfig) {
  const auto fresh = make_fresh();
  fresh->put_stray("config");
  ASSERT_OK(fresh->storage().write(pack('7'), as_bytes("0123"), soon()));
  EXPECT_THAT(fresh->storage().read_all(pack('7'), soon()), Holds("0123"));
  const FileName lock{FileType::kLock, std::string(64, 'a')};
  ASSERT_OK(fresh->storage().write(lock, as_bytes("0123"), soon()));
  EXPECT_EQ(value_of(fresh->storage().list(FileType::kLock, soon())).size(), 1U);
}

TEST_P(StorageContract, MakesTheFoldersOfARepositoryOnce) {
  ASSERT_OK(storage().make_folders(soon()));
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  EXPECT_OK(storage().make_folders(soon()));
  EXPECT_THAT(storage().read_all(pack('7'), soon()), Holds("0123456789"));
  EXPECT_TRUE(value_of(storage().list(FileType::kKey, soon())).empty());
}

TEST_P(StorageContract, ListsEveryFileOfAKindOnceWithItsSize) {
  std::vector<std::string> names;
  for (const char digit : std::string("0123456789abcdef")) {
    const FileName file = pack(digit);
    ASSERT_OK(storage().write(file, as_bytes(std::string(std::size_t(digit), 'x')), soon()));
    names.push_back(file.name);
  }
  ASSERT_OK(storage().write({FileType::kIndex, std::string(64, 'a')}, as_bytes("index"), soon()));
  const auto packs = value_of(storage().list(FileType::kPack, soon()));
  EXPECT_EQ(sorted_names(packs), names);
  for (const auto& file : packs) EXPECT_EQ(file.size_bytes, std::uint64_t(file.name[0]));
  EXPECT_EQ(sorted_names(value_of(storage().list(FileType::kIndex, soon()))),
            std::vector{std::string(64, 'a')});
}

TEST_P(StorageContract, ListsWhenAFileWasWrittenIfItIsKnown) {
  constexpr std::int64_t kHour = 3600;
  ASSERT_OK(storage().write(pack('c'), as_bytes("p"), soon()));
  const auto modified = value_of(storage().list(FileType::kPack, soon())).at(0).modified;
  ASSERT_EQ(modified.has_value(), under_test().keeps_strays()) << "files in memory have no times";
  const std::int64_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (modified) {
    EXPECT_TRUE(*modified > now - kHour && *modified < now + kHour);
  }
}

TEST_P(StorageContract, ListingsLeaveStraysOut) {
  const FileName snapshot{FileType::kSnapshot, std::string(64, 'b')};
  ASSERT_OK(storage().write(snapshot, as_bytes("s"), soon()));
  ASSERT_OK(storage().write(pack('c'), as_bytes("p"), soon()));
  under_test().put_stray("snapshots/README");
  under_test().put_stray("snapshots/" + std::string(64, 'B'));
  under_test().put_stray("snapshots/" + std::string(64, 'd') + "-restree-0");
  under_test().put_stray("data/cc/" + std::string(63, 'c'));
  EXPECT_EQ(sorted_names(value_of(storage().list(FileType::kSnapshot, soon()))),
            std::vector{snapshot.name});
  EXPECT_EQ(sorted_names(value_of(storage().list(FileType::kPack, soon()))),
            std::vector{pack('c').name});
}

TEST_P(StorageContract, RemovesTheOldLeftoversOfItsOwnWritesAlone) {
  using std::chrono::hours;
  const std::string id(64, 'c');
  ASSERT_OK(storage().write(pack('c'), as_bytes("p"), soon()));
  const std::vector<std::string> leftovers = {"data/cc/" + id + "-restree-Ab3xYz",
                                              "data/00/" + id + "-restree-0",
                                              "index/" + id + "-restree-0", "config-restree-0"};
  const std::vector<std::string> others = {"data/cc/" + id + "-restic-temp-0", "data/cc/" + id,
                                           "data/cc/notes-restree-0", "data/cc/" + id + "-tmp-123"};
  const std::string young = "data/cc/" + id + "-restree-1";
  for (const std::string& path : leftovers) under_test().put_stray(path, hours(5));
  for (const std::string& path : others) under_test().put_stray(path, hours(5));
  under_test().put_stray(young, hours(3));

  const auto time = std::chrono::system_clock::now() - hours(4);
  const std::size_t expected = under_test().keeps_strays() ? leftovers.size() : 0;
  EXPECT_EQ(value_of(storage().remove_leftovers({.before = time}, soon())), expected);
  for (const std::string& path : leftovers) EXPECT_FALSE(under_test().has_stray(path)) << path;
  if (!under_test().keeps_strays()) return;
  for (const std::string& path : others) EXPECT_TRUE(under_test().has_stray(path)) << path;
  EXPECT_TRUE(under_test().has_stray(young));
  EXPECT_EQ(value_of(storage().remove_leftovers({.before = time}, soon())), 0U);
}

TEST_P(StorageContract, LooksForLeftoversInAPartOfTheFoldersOfPacks) {
  if (!under_test().keeps_strays()) return;
  using std::chrono::hours;
  const std::string leftover = std::string(64, 'c') + "-restree-0";
  // 0x0c = 12, 0x0d = 13: of five parts the third and the fourth.
  for (const char* folder : {"data/0c/", "data/0d/", "snapshots/"}) {
    under_test().put_stray(folder + leftover, hours(5));
  }
  const auto time = std::chrono::system_clock::now() - hours(4);
  const Leftovers third{.before = time, .part = 2, .parts = 5};
  EXPECT_EQ(value_of(storage().remove_leftovers(third, soon())), 2U);
  EXPECT_FALSE(under_test().has_stray("data/0c/" + leftover));
  EXPECT_TRUE(under_test().has_stray("data/0d/" + leftover));
  EXPECT_FALSE(under_test().has_stray("snapshots/" + leftover));
}

TEST_P(StorageContract, LeavesNothingToRemoveWhereNoFolderIs) {
  const auto now = std::chrono::system_clock::now();
  EXPECT_EQ(value_of(make_fresh()->storage().remove_leftovers({.before = now}, soon())), 0U);
  EXPECT_EQ(value_of(storage().remove_leftovers({.before = now}, soon())), 0U);
}

TEST_P(StorageContract, SaysHowMuchIsFreeOrThatItCannot) {
  EXPECT_GT(value_of(storage().free_bytes(soon())).value_or(1), 0U);
}

TEST_P(StorageContract, AWriteReplacesWhatWasThere) {
  const FileName key{FileType::kKey, std::string(64, '1')};
  ASSERT_OK(storage().write(key, as_bytes("the old content"), soon()));
  EXPECT_THAT(storage().read(key, {.offset = 4, .length = 3}, soon()), Holds("old"));
  ASSERT_OK(storage().write(key, as_bytes("the new content, longer"), soon()));
  EXPECT_THAT(storage().read_all(key, soon()), Holds("the new content, longer"));
  EXPECT_THAT(storage().read(key, {.offset = 4, .length = 3}, soon()), Holds("new"));
  EXPECT_EQ(value_of(storage().list(FileType::kKey, soon())).size(), 1U);
}

TEST_P(StorageContract, WhatIsRemovedIsGone) {
  ASSERT_OK(storage().write(pack('7'), as_bytes("0123456789"), soon()));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 0, .length = 1}, soon()), Holds("0"));
  ASSERT_OK(storage().remove(pack('7'), soon()));
  EXPECT_THAT(storage().read(pack('7'), {.offset = 0, .length = 1}, soon()),
              FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(storage().remove(pack('7'), soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_TRUE(value_of(storage().list(FileType::kPack, soon())).empty());
}

TEST_P(StorageContract, TheConfigHasItsOwnPlace) {
  const FileName config{FileType::kConfig, ""};
  ASSERT_OK(storage().write(config, as_bytes("configuration"), soon()));
  EXPECT_THAT(storage().read_all(config, soon()), Holds("configuration"));
  ASSERT_OK(storage().remove(config, soon()));
}

TEST_P(StorageContract, EveryByteOfALargeFileComesBackWhereItBelongs) {
  const std::string content = noise_of(5 * 1024 * 1024 + 12345);
  ASSERT_OK(storage().write(pack('5'), as_bytes(content), soon()));
  EXPECT_THAT(storage().read_all(pack('5'), soon()), Holds(content));
  for (const std::uint64_t offset : {0U, 1U, 32768U, 261120U, 261121U, 3000001U}) {
    for (const std::uint64_t length : {1U, 32767U, 261120U, 261121U, 2000000U}) {
      EXPECT_THAT(storage().read(pack('5'), {offset, length}, soon()),
                  Holds(content.substr(offset, length)));
    }
  }
}

TEST_P(StorageContract, ServesManyThreadsAtOnce) {
  for (const char digit : std::string("01234567")) {
    ASSERT_OK(storage().write(pack(digit), as_bytes(std::string(300'000, digit)), soon()));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([this, thread, &wrong] {
      for (int round = 0; round < 30; ++round) {
        const char digit = static_cast<char>('0' + (thread + round) % 8);
        const auto offset = static_cast<std::uint64_t>(round) * 9999;
        const auto bytes = storage().read(pack(digit), {offset, 10'000}, soon());
        if (!bytes || as_text(bytes->view()) != std::string(10'000, digit)) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
}

}  // namespace restree::testing
