#include "repo/storage/decorators/overlay_storage.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::Holds;
using ::testing::IsEmpty;
using testing::value_of;

FileName numbered(FileType type, char digit) { return {type, std::string(64, digit)}; }
const FileName kOld = numbered(FileType::kIndex, '1');
const FileName kNew = numbered(FileType::kIndex, '2');

class OverlayStorageTest : public ::testing::Test {
 protected:
  OverlayStorageTest() { EXPECT_OK(write(*below_, kOld, "old")); }

  static Status write(Storage& storage, const FileName& file, const std::string& content) {
    return storage.write(file, as_bytes(content), Deadline::never());
  }
  static std::vector<std::string> names(Storage& storage) {
    std::vector<std::string> names;
    for (const ListedFile& file : value_of(storage.list(FileType::kIndex, Deadline::never()))) {
      names.push_back(file.name);
    }
    return names;
  }

  const std::shared_ptr<MemoryStorage> below_ = std::make_shared<MemoryStorage>();
  OverlayStorage overlay_{below_};
};

TEST_F(OverlayStorageTest, ShowsWhatIsBelow) {
  EXPECT_THAT(overlay_.read_all(kOld, Deadline::never()), Holds("old"));
  EXPECT_THAT(overlay_.read(kOld, {1, 1}, Deadline::never()), Holds("l"));
  EXPECT_THAT(names(overlay_), ElementsAre(kOld.name));
}

TEST_F(OverlayStorageTest, WhatIsWrittenIsThereAndNotBelow) {
  ASSERT_OK(write(overlay_, kNew, "new file"));
  EXPECT_THAT(overlay_.read_all(kNew, Deadline::never()), Holds("new file"));
  EXPECT_THAT(overlay_.read(kNew, {4, 4}, Deadline::never()), Holds("file"));
  EXPECT_THAT(overlay_.read(kNew, {4, 5}, Deadline::never()), FailsWith(ErrorKind::kCorrupt));
  Bytes buffer;
  EXPECT_EQ(as_text(value_of(overlay_.read_into(buffer, kNew, {0, 3}, Deadline::never()))), "new");
  EXPECT_EQ(value_of(overlay_.size(kNew, Deadline::never())), 8U);
  EXPECT_THAT(names(overlay_), ElementsAre(kOld.name, kNew.name));
  EXPECT_THAT(names(*below_), ElementsAre(kOld.name));
}

TEST_F(OverlayStorageTest, WhatIsRemovedIsGoneAndStillBelow) {
  ASSERT_OK(overlay_.remove(kOld, Deadline::never()));
  EXPECT_THAT(overlay_.read_all(kOld, Deadline::never()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(overlay_.size(kOld, Deadline::never()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(overlay_.remove(kOld, Deadline::never()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(names(overlay_), IsEmpty());
  EXPECT_THAT(below_->read_all(kOld, Deadline::never()), Holds("old"));
}

TEST_F(OverlayStorageTest, AFileThatIsReplacedIsListedOnce) {
  ASSERT_OK(write(overlay_, kOld, "other"));
  EXPECT_THAT(names(overlay_), ElementsAre(kOld.name));
  EXPECT_THAT(overlay_.read_all(kOld, Deadline::never()), Holds("other"));
}

TEST_F(OverlayStorageTest, LocksAreNotPretended) {
  const FileName lock = numbered(FileType::kLock, '3');
  ASSERT_OK(write(overlay_, lock, "lock"));
  EXPECT_THAT(below_->read_all(lock, Deadline::never()), Holds("lock"));
  ASSERT_OK(overlay_.remove(lock, Deadline::never()));
  EXPECT_THAT(below_->read_all(lock, Deadline::never()), FailsWith(ErrorKind::kNotFound));
}

}  // namespace
}  // namespace restree
