#include "repo/storage/decorators/noting_storage.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;

std::string name_of(char digit) { return std::string(64, digit); }

class NotingStorageTest : public ::testing::Test {
 protected:
  void write(FileType type, char digit) {
    ASSERT_OK(storage_.write({type, name_of(digit)}, as_bytes("content"), Deadline::never()));
  }
  Status remove(FileType type, char digit) {
    return storage_.remove({type, name_of(digit)}, Deadline::never());
  }

  const std::shared_ptr<MemoryStorage> inner_ = std::make_shared<MemoryStorage>();
  std::vector<FileType> asked_;
  bool was_there_ = false;
  NotingStorage storage_{
      inner_, [this](FileType type) {
        asked_.push_back(type);
        was_there_ = inner_->size({type, name_of('1')}, Deadline::never()).has_value();
      }};
};

TEST_F(NotingStorageTest, NotesTheLastListing) {
  EXPECT_EQ(storage_.noted(FileType::kSnapshot).listed, std::nullopt);
  ASSERT_OK(storage_.list(FileType::kSnapshot, Deadline::never()));
  EXPECT_THAT(*storage_.noted(FileType::kSnapshot).listed, IsEmpty());
  write(FileType::kSnapshot, '1');
  ASSERT_OK(storage_.list(FileType::kSnapshot, Deadline::never()));
  EXPECT_THAT(*storage_.noted(FileType::kSnapshot).listed, ElementsAre(name_of('1')));
  EXPECT_EQ(storage_.noted(FileType::kIndex).listed, std::nullopt);
}

TEST_F(NotingStorageTest, ForgetsAListingAndNotALaterOne) {
  ASSERT_OK(storage_.list(FileType::kSnapshot, Deadline::never()));
  const auto first = storage_.noted(FileType::kSnapshot).listed_at;
  storage_.forget_listed(FileType::kSnapshot, first);
  EXPECT_FALSE(storage_.noted(FileType::kSnapshot).listed);
  while (std::chrono::system_clock::now() <= first) continue;
  ASSERT_OK(storage_.list(FileType::kSnapshot, Deadline::never()));
  storage_.forget_listed(FileType::kSnapshot, first);
  EXPECT_TRUE(storage_.noted(FileType::kSnapshot).listed);
}

TEST_F(NotingStorageTest, NotesWhatIsWrittenAndRemoved) {
  write(FileType::kSnapshot, '1');
  write(FileType::kSnapshot, '2');
  ASSERT_OK(remove(FileType::kSnapshot, '1'));
  const NotingStorage::Noted noted = storage_.noted(FileType::kSnapshot);
  EXPECT_THAT(noted.written, ElementsAre(name_of('2')));
  EXPECT_THAT(noted.removed, ElementsAre(name_of('1')));
}

TEST_F(NotingStorageTest, WhatIsGoneAlreadyCountsAsRemoved) {
  EXPECT_THAT(remove(FileType::kIndex, '1'), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(storage_.noted(FileType::kIndex).removed, ElementsAre(name_of('1')));
}

TEST_F(NotingStorageTest, SaysBeforeTheFirstRemovalOfATypeThatItComes) {
  write(FileType::kSnapshot, '1');
  write(FileType::kSnapshot, '2');
  ASSERT_OK(remove(FileType::kSnapshot, '1'));
  EXPECT_TRUE(was_there_);
  ASSERT_OK(remove(FileType::kSnapshot, '2'));
  EXPECT_THAT(asked_, ElementsAre(FileType::kSnapshot));
}

TEST_F(NotingStorageTest, OfLocksAndPacksNothingIsNoted) {
  for (const FileType type : {FileType::kLock, FileType::kPack}) {
    write(type, '1');
    ASSERT_OK(storage_.list(type, Deadline::never()));
    ASSERT_OK(remove(type, '1'));
    EXPECT_EQ(storage_.noted(type).listed, std::nullopt);
    EXPECT_THAT(storage_.noted(type).removed, IsEmpty());
  }
  EXPECT_THAT(asked_, IsEmpty());
}

}  // namespace
}  // namespace restree
