#include "repo/storage/decorators/confirmed_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"
#include "tests/support/movable_disk.h"
#include "tests/support/watched_storage.h"

namespace restree::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const FileName kTheConfig{FileType::kConfig, ""};
const std::string kKeyName(64, '1');

FileName named(FileType type, char digit) { return {type, std::string(64, digit)}; }
const FileName kPackA = named(FileType::kPack, 'a');
const FileName kSnapshotA = named(FileType::kSnapshot, 'a');
const FileName kSnapshotB = named(FileType::kSnapshot, 'b');

// A repository on a disk that comes and goes, also in the middle of what is asked of it.
class Confirmed : public ::testing::Test {
 protected:
  Confirmed() { fill(*disk_, "config"); }

  static void fill(Storage& disk, std::string_view config) {
    EXPECT_OK(disk.write(kTheConfig, as_bytes(config), soon()));
    for (const FileName& file : {kPackA, kSnapshotA, kSnapshotB, named(FileType::kIndex, 'a'),
                                 named(FileType::kKey, '1')}) {
      EXPECT_OK(disk.write(file, as_bytes("0123"), soon()));
    }
  }
  // Reads the config, as opening a repository does.
  void open() { EXPECT_OK(storage_.read_all(kTheConfig, soon())); }
  void open_and_list() {
    open();
    for (const FileType type : {FileType::kKey, FileType::kSnapshot, FileType::kIndex}) {
      EXPECT_OK(storage_.list(type, soon()));
    }
  }
  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }
  Result<std::vector<ListedFile>> list(FileType type) { return storage_.list(type, soon()); }
  std::size_t looks() const { return watched_->reads(FileType::kConfig); }
  // Before each listing or read of the type, `call` with how many there were before.
  void before(FileType type, std::function<void(int)> call) {
    const auto count = std::make_shared<int>(0);
    watched_->watch([type, call = std::move(call), count](const FileName& file) -> Status {
      if (file.type == type) call((*count)++);
      return {};
    });
  }

  std::shared_ptr<MemoryStorage> disk_ = std::make_shared<MemoryStorage>();
  std::shared_ptr<MovableDisk> place_ = std::make_shared<MovableDisk>(disk_);
  std::shared_ptr<WatchedStorage> watched_ = std::make_shared<WatchedStorage>(place_);
  std::vector<std::string> reasons_;
  ConfirmedStorage storage_{watched_, [this](const std::string& why) { reasons_.push_back(why); }};
};

TEST_F(Confirmed, BeforeARepositoryIsOpenedEverythingIsPassedOn) {
  place_->unmount();
  EXPECT_THAT(value_of(list(FileType::kSnapshot)), IsEmpty());
  EXPECT_THAT(storage_.read_all(kPackA, soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(storage_.probe(soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(Confirmed, WhatIsThereCostsNoLookAtTheConfig) {
  open_and_list();
  const std::size_t before = looks();
  EXPECT_THAT(storage_.read(kPackA, {1, 2}, soon()), Holds("12"));
  EXPECT_OK(disk_->write(named(FileType::kSnapshot, 'c'), as_bytes("0123"), soon()));
  EXPECT_THAT(value_of(list(FileType::kSnapshot)), SizeIs(3));
  EXPECT_THAT(value_of(list(FileType::kSnapshot)), SizeIs(3));
  EXPECT_THAT(value_of(list(FileType::kIndex)), SizeIs(1));
  EXPECT_THAT(value_of(list(FileType::kLock)), IsEmpty());
  EXPECT_EQ(looks(), before);
}

TEST_F(Confirmed, OpeningCostsOneLookMoreForTheSnapshots) {
  open_and_list();
  EXPECT_EQ(looks(), 2U);
}

TEST_F(Confirmed, WithoutItsDiskNoListingIsEmpty) {
  open_and_list();
  place_->unmount();
  for (const FileType type :
       {FileType::kKey, FileType::kSnapshot, FileType::kIndex, FileType::kPack}) {
    const auto listed = list(type);
    ASSERT_THAT(listed, FailsWith(ErrorKind::kUnavailable)) << directory_of(type);
    EXPECT_THAT(listed.error().message(),
                HasSubstr("/srv/backup: the repository is not there any more: no config file"));
  }
  EXPECT_THAT(reasons_, SizeIs(4));
}

TEST_F(Confirmed, ADiskThatGoesWhileTheRepositoryIsOpenedLeavesNoEmptyListing) {
  open();
  place_->unmount();
  EXPECT_THAT(list(FileType::kSnapshot), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(Confirmed, WithoutItsDiskNoFileIsGone) {
  open();
  place_->unmount();
  Bytes buffer;
  const auto unavailable = FailsWith(ErrorKind::kUnavailable);
  EXPECT_THAT(storage_.size(kPackA, soon()), unavailable);
  EXPECT_THAT(storage_.read(kPackA, {0, 1}, soon()), unavailable);
  EXPECT_THAT(storage_.read_into(buffer, kPackA, {0, 1}, soon()), unavailable);
  EXPECT_THAT(storage_.read_all(kSnapshotA, soon()), unavailable);
  EXPECT_THAT(storage_.remove(kSnapshotA, soon()), unavailable);
  EXPECT_THAT(storage_.write(kPackA, as_bytes("0123"), soon()), unavailable);
  EXPECT_THAT(storage_.probe(soon()), unavailable);
}

TEST_F(Confirmed, WhatIsGoneFromARepositoryThatIsThereIsNotFound) {
  open_and_list();
  EXPECT_THAT(storage_.read_all(named(FileType::kPack, 'f'), soon()),
              FailsWith(ErrorKind::kNotFound));
  EXPECT_OK(disk_->remove(kSnapshotA, soon()));
  EXPECT_THAT(value_of(list(FileType::kSnapshot)), SizeIs(1));
  EXPECT_OK(storage_.remove(kSnapshotB, soon()));
  EXPECT_THAT(value_of(list(FileType::kSnapshot)), IsEmpty());
  EXPECT_THAT(storage_.remove(kSnapshotB, soon()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(Confirmed, ADiskThatIsBackBeforeTheConfigIsReadIsListedAgain) {
  open_and_list();
  before(FileType::kConfig, [this](int) { place_->mount(disk_); });
  for (const FileType type : {FileType::kSnapshot, FileType::kIndex, FileType::kKey}) {
    place_->unmount();
    EXPECT_THAT(value_of(list(type)), SizeIs(type == FileType::kSnapshot ? 2 : 1));
  }
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(Confirmed, ADiskThatIsBackBeforeTheConfigIsReadIsReadAgain) {
  open();
  before(FileType::kConfig, [this](int) { place_->mount(disk_); });
  place_->unmount();
  EXPECT_THAT(storage_.read(kPackA, {1, 2}, soon()), Holds("12"));
  place_->unmount();
  EXPECT_THAT(value_of(storage_.size(kPackA, soon())), 4U);
  place_->unmount();
  EXPECT_OK(storage_.write(kSnapshotB, as_bytes("4567"), soon()));
  EXPECT_THAT(disk_->read_all(kSnapshotB, soon()), Holds("4567"));
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(Confirmed, ADiskThatGoesBeforeTheSecondListingIsAway) {
  open_and_list();
  EXPECT_OK(disk_->remove(kSnapshotA, soon()));
  before(FileType::kSnapshot, [this](int listings) {
    if (listings == 1) place_->unmount();
  });
  EXPECT_THAT(list(FileType::kSnapshot), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(reasons_, SizeIs(1));
}

TEST_F(Confirmed, ADiskThatGoesAfterTheSecondReadIsAway) {
  open();
  before(FileType::kConfig, [this](int looks) {
    if (looks == 1) place_->unmount();
  });
  EXPECT_THAT(storage_.read_all(named(FileType::kPack, 'f'), soon()),
              FailsWith(ErrorKind::kUnavailable));
}

TEST_F(Confirmed, ABlinkBetweenTwoLooksAtTheConfigEmptiesNothing) {
  open_and_list();
  EXPECT_OK(disk_->remove(kSnapshotA, soon()));
  int listings = 0;
  watched_->watch([&](const FileName& file) -> Status {
    if (file.type == FileType::kConfig) place_->mount(disk_);
    if (file.type == FileType::kSnapshot && ++listings == 2) place_->unmount();
    return {};
  });
  EXPECT_THAT(value_of(list(FileType::kSnapshot)), SizeIs(1));
}

TEST_F(Confirmed, ADiskThatGoesWhilePacksAreListedIsAway) {
  open();
  before(FileType::kConfig, [this](int looks) {
    if (looks == 1) place_->unmount();
  });
  EXPECT_THAT(list(FileType::kPack), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(Confirmed, AnotherRepositoryInThePlaceIsAwayInWordsOfItsOwn) {
  open_and_list();
  storage_.remember_key(kKeyName);
  const auto other = std::make_shared<MemoryStorage>();
  EXPECT_OK(other->write(kTheConfig, as_bytes("another config"), soon()));
  EXPECT_OK(other->write(named(FileType::kSnapshot, 'c'), as_bytes("0123"), soon()));
  place_->mount(other);
  EXPECT_THAT(list(FileType::kSnapshot), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.read_all(kPackA, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.probe(soon()), FailsWith(ErrorKind::kUnavailable));
  ASSERT_THAT(reasons_, SizeIs(3));
  EXPECT_THAT(reasons_[0], HasSubstr("another repository lies there now"));
}

TEST_F(Confirmed, ARepositoryThatWasUpgradedIsTheSame) {
  open_and_list();
  storage_.remember_key(kKeyName);
  EXPECT_OK(disk_->write(kTheConfig, as_bytes("config of version 2"), soon()));
  EXPECT_OK(disk_->remove(kSnapshotA, soon()));
  EXPECT_THAT(value_of(list(FileType::kSnapshot)), SizeIs(1));
  EXPECT_OK(storage_.probe(soon()));
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(Confirmed, NothingIsWrittenIntoAnotherRepositoryNearby) {
  place_->be_near();
  ConfirmedStorage nearby(place_, [](const std::string&) {});
  EXPECT_OK(nearby.read_all(kTheConfig, soon()));
  const auto other = std::make_shared<MemoryStorage>();
  EXPECT_OK(other->write(kTheConfig, as_bytes("another config"), soon()));
  place_->mount(other);
  for (const FileType type :
       {FileType::kPack, FileType::kIndex, FileType::kSnapshot, FileType::kKey, FileType::kLock}) {
    EXPECT_THAT(nearby.write(named(type, 'e'), as_bytes("0123"), soon()),
                FailsWith(ErrorKind::kUnavailable));
    EXPECT_THAT(value_of(other->list(type, soon())), IsEmpty());
  }
}

TEST_F(Confirmed, NoIndexFileOrSnapshotIsWrittenIntoAnotherRepositoryAfar) {
  open();
  const auto other = std::make_shared<MemoryStorage>();
  EXPECT_OK(other->write(kTheConfig, as_bytes("another config"), soon()));
  place_->mount(other);
  for (const FileType type : {FileType::kIndex, FileType::kSnapshot}) {
    EXPECT_THAT(storage_.write(named(type, 'e'), as_bytes("0123"), soon()),
                FailsWith(ErrorKind::kUnavailable));
    EXPECT_THAT(value_of(other->list(type, soon())), IsEmpty());
  }
}

TEST_F(Confirmed, ASnapshotThatWentElsewhereIsNotSaved) {
  open();
  watched_->watch_writes([this](const FileName&) -> Status {
    const auto other = std::make_shared<MemoryStorage>();
    EXPECT_OK(other->write(kTheConfig, as_bytes("another config"), soon()));
    place_->mount(other);
    return {};
  });
  EXPECT_THAT(storage_.write(named(FileType::kSnapshot, 'e'), as_bytes("0123"), soon()),
              FailsWith(ErrorKind::kUnavailable));
}

TEST_F(Confirmed, APackThatIsWrittenAfarCostsNoLook) {
  open();
  EXPECT_OK(storage_.write(named(FileType::kPack, 'e'), as_bytes("0123"), soon()));
  EXPECT_EQ(looks(), 1U);
}

TEST_F(Confirmed, WhereTheConfigCannotBeReadThatIsTheError) {
  open_and_list();
  EXPECT_OK(disk_->remove(kSnapshotA, soon()));
  for (const ErrorKind kind : {ErrorKind::kDenied, ErrorKind::kUnavailable}) {
    watched_->watch([kind](const FileName& file) -> Status {
      if (file.type != FileType::kConfig) return {};
      return Error(kind, "no");
    });
    EXPECT_THAT(list(FileType::kSnapshot), FailsWith(kind));
    EXPECT_THAT(storage_.read_all(named(FileType::kPack, 'f'), soon()), FailsWith(kind));
  }
  EXPECT_THAT(reasons_, IsEmpty());
}

// As a network file system whose server is gone answers: with ESTALE, ENOTCONN or EIO.
TEST_F(Confirmed, APlaceThatFailsAltogetherIsAway) {
  open();
  watched_->watch([](const FileName&) -> Status {
    return Error(ErrorKind::kLocalIo, "Transport endpoint is not connected");
  });
  EXPECT_THAT(storage_.read_all(kPackA, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(list(FileType::kSnapshot), FailsWith(ErrorKind::kUnavailable));
  ASSERT_THAT(reasons_, SizeIs(2));
  EXPECT_THAT(reasons_[0], HasSubstr("Transport endpoint is not connected"));
}

// The same where each file by itself seems to be to blame.
TEST_F(Confirmed, ADiskOfWhichNothingCanBeReadIsAway) {
  open();
  storage_.remember_key(kKeyName);
  watched_->watch(
      [](const FileName&) -> Status { return Error(ErrorKind::kCorrupt, "Input/output error"); });
  EXPECT_THAT(storage_.read_all(named(FileType::kIndex, 'a'), soon()),
              FailsWith(ErrorKind::kUnavailable));
  ASSERT_THAT(reasons_, SizeIs(1));
  EXPECT_THAT(reasons_[0], HasSubstr("cannot be read any more: Input/output error"));
}

TEST_F(Confirmed, AFileThatIsCorruptInARepositoryThatIsThereIsJustThat) {
  open();
  storage_.remember_key(kKeyName);
  watched_->watch([](const FileName& file) -> Status {
    if (file.type == FileType::kConfig) return {};
    return Error(ErrorKind::kCorrupt, "Input/output error");
  });
  EXPECT_THAT(storage_.read_all(named(FileType::kIndex, 'a'), soon()),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(Confirmed, AFileThatCannotBeReadIsNotARepositoryThatIsAway) {
  open();
  watched_->watch([](const FileName& file) -> Status {
    if (file.type == FileType::kConfig) return {};
    return Error(ErrorKind::kLocalIo, "Input/output error");
  });
  EXPECT_THAT(storage_.read_all(kPackA, soon()), FailsWith(ErrorKind::kLocalIo));
  EXPECT_THAT(reasons_, IsEmpty());
}

TEST_F(Confirmed, AnEmptyRepositoryIsEmptyForTheFirstAndEveryOtherTime) {
  for (const FileName& file : {kSnapshotA, kSnapshotB, named(FileType::kIndex, 'a'), kPackA}) {
    EXPECT_OK(disk_->remove(file, soon()));
  }
  open();
  for (int i = 0; i < 2; ++i) {
    for (const FileType type : {FileType::kSnapshot, FileType::kIndex, FileType::kPack}) {
      EXPECT_THAT(value_of(list(type)), IsEmpty());
    }
  }
  place_->unmount();
  EXPECT_THAT(list(FileType::kSnapshot), FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree::testing
