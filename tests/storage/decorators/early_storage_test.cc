#include "repo/storage/decorators/early_storage.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "repo/storage/memory_storage.h"
#include "tests/support/gate.h"
#include "tests/support/matchers.h"
#include "tests/support/process.h"
#include "tests/support/watched_storage.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::FailsWith;
using testing::Gate;
using testing::Holds;
using testing::holds_within;
using ::testing::SizeIs;
using testing::value_of;

FileName config_file() { return {FileType::kConfig, ""}; }
FileName key_file(char digit) { return {FileType::kKey, std::string(64, digit)}; }
FileName index_file(char digit) { return {FileType::kIndex, std::string(64, digit)}; }
FileName snapshot_file(char digit) { return {FileType::kSnapshot, std::string(64, digit)}; }

Deadline soon() { return Deadline::after(30s); }

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

// Two index files and a snapshot.
class EarlyStorageTest : public ::testing::Test {
 protected:
  EarlyStorageTest() {
    for (const FileName& file :
         {config_file(), index_file('1'), index_file('2'), snapshot_file('3')}) {
      write(file);
    }
  }
  void write(const FileName& file) {
    EXPECT_OK(inner_->write(file, as_bytes(relative_path(file)), soon()));
  }
  // Reads the config, as the opening of a repository begins.
  std::unique_ptr<EarlyStorage> begin(EarlyReads what = {}) {
    auto early = std::make_unique<EarlyStorage>(inner_, what);
    EXPECT_OK(early->read_all(config_file(), soon()));
    return early;
  }
  bool has_read(std::size_t files) {
    return holds_within(30s, [&] { return inner_->reads() == files; });
  }
  std::size_t lists() const {
    return inner_->lists(FileType::kIndex) + inner_->lists(FileType::kSnapshot);
  }

  std::shared_ptr<testing::WatchedStorage> inner_ =
      std::make_shared<testing::WatchedStorage>(std::make_shared<MemoryStorage>());
};

TEST_F(EarlyStorageTest, ReadsAheadWhatOpeningARepositoryNeeds) {
  const auto early = begin();
  ASSERT_TRUE(has_read(4));
  EXPECT_THAT(value_of(early->list(FileType::kIndex, soon())), SizeIs(2));
  EXPECT_THAT(value_of(early->list(FileType::kSnapshot, soon())), SizeIs(1));
  for (const FileName& file : {index_file('1'), index_file('2'), snapshot_file('3')}) {
    EXPECT_THAT(early->read_all(file, soon()), Holds(relative_path(file)));
  }
  EXPECT_EQ(lists(), 2);
  EXPECT_EQ(inner_->reads(), 4);
}

TEST_F(EarlyStorageTest, AsksForNothingBeforeTheConfigIsThere) {
  EarlyStorage early(inner_, {});
  inner_->watch([](const FileName& file) -> Status {
    if (file != config_file()) return {};
    return Error(ErrorKind::kUnavailable, "nobody there");
  });
  EXPECT_THAT(early.read_all(config_file(), soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(lists(), 0);
}

TEST_F(EarlyStorageTest, ListsAndReadsKeysWhileTheConfigIsOnItsWay) {
  write(key_file('7'));
  inner_->watch([&](const FileName& file) -> Status {
    if (file != config_file()) return {};
    EXPECT_TRUE(holds_within(30s, [&] { return inner_->reads(FileType::kKey) == 1; }));
    return {};
  });
  const auto early = begin({.only_keys = true});
  EXPECT_THAT(value_of(early->list(FileType::kKey, soon())), SizeIs(1));
  EXPECT_THAT(early->read_all(key_file('7'), soon()), Holds(relative_path(key_file('7'))));
  EXPECT_EQ(inner_->lists(FileType::kKey), 1);
  EXPECT_EQ(inner_->reads(), 2);
  EXPECT_EQ(lists(), 0);
}

TEST_F(EarlyStorageTest, ReadsFewKeys) {
  for (const char digit : std::string_view("0123456789abcdef")) write(key_file(digit));
  const auto early = begin({.only_keys = true});
  ASSERT_TRUE(has_read(1 + EarlyStorage::kMostKeys));
  EXPECT_THAT(value_of(early->list(FileType::kKey, soon())), SizeIs(16));
  for (const char digit : std::string_view("0123456789abcdef")) {
    EXPECT_OK(early->read_all(key_file(digit), soon()));
  }
  EXPECT_EQ(inner_->reads(FileType::kKey), 16);
}

TEST_F(EarlyStorageTest, AnEmptyListingOfKeysIsMadeAgain) {
  const auto early = begin({.only_keys = true});
  ASSERT_TRUE(holds_within(30s, [&] { return inner_->lists(FileType::kKey) == 1; }));
  write(key_file('7'));
  EXPECT_THAT(value_of(early->list(FileType::kKey, soon())), SizeIs(1));
}

TEST_F(EarlyStorageTest, AsksForNothingWithoutAConnection) {
  class OutOfReach final : public ForwardingStorage {
   public:
    using ForwardingStorage::ForwardingStorage;
    Status reach(Deadline /*by*/) override {
      return Error(ErrorKind::kDenied, "the wrong password");
    }
  };
  EarlyStorage early(std::make_shared<OutOfReach>(inner_), {});
  EXPECT_THAT(early.read_all(config_file(), soon()), FailsWith(ErrorKind::kDenied));
  EXPECT_EQ(inner_->reads(), 0);
  EXPECT_EQ(inner_->lists(FileType::kKey), 0);
}

TEST_F(EarlyStorageTest, HandsEverythingOutOnce) {
  const auto early = begin();
  ASSERT_TRUE(has_read(4));
  value_of(early->list(FileType::kIndex, soon()));
  EXPECT_OK(early->read_all(index_file('1'), soon()));
  write(index_file('5'));
  EXPECT_THAT(value_of(early->list(FileType::kIndex, soon())), SizeIs(3));
  EXPECT_OK(early->read_all(index_file('1'), soon()));
  EXPECT_EQ(inner_->reads(), 5);
}

TEST_F(EarlyStorageTest, ForgetsUnusedFilesOnceTheyAreListedAgain) {
  const auto early = begin();
  ASSERT_TRUE(has_read(4));
  value_of(early->list(FileType::kIndex, soon()));
  value_of(early->list(FileType::kIndex, soon()));
  EXPECT_OK(early->read_all(index_file('1'), soon()));
  EXPECT_EQ(inner_->reads(), 5);
  EXPECT_OK(early->read_all(snapshot_file('3'), soon()));
  EXPECT_EQ(inner_->reads(), 5);
}

TEST_F(EarlyStorageTest, OnlyListsIfItMayReadNoContent) {
  const auto early = begin({.most_bytes = 0});
  EXPECT_THAT(value_of(early->list(FileType::kIndex, soon())), SizeIs(2));
  EXPECT_THAT(value_of(early->list(FileType::kSnapshot, soon())), SizeIs(1));
  EXPECT_EQ(inner_->reads(), 1);
}

TEST_F(EarlyStorageTest, ReadsNoMoreThanItsLimit) {
  const std::size_t threads = threads_of_this_process();
  const auto early = begin({.most_bytes = relative_path(index_file('1')).size()});
  value_of(early->list(FileType::kIndex, soon()));
  value_of(early->list(FileType::kSnapshot, soon()));
  // Its threads end once there is nothing more to read.
  ASSERT_TRUE(holds_within(30s, [&] { return threads_of_this_process() == threads; }));
  EXPECT_EQ(inner_->reads(), 2);
}

TEST_F(EarlyStorageTest, AFileThatFailedEarlyIsReadAgainOnRequest) {
  std::atomic<bool> has_failed = false;
  inner_->watch([&](const FileName& file) -> Status {
    if (file != index_file('1') || has_failed.exchange(true)) return {};
    return Error(ErrorKind::kUnavailable, "the line was cut");
  });
  const auto early = begin();
  ASSERT_TRUE(has_read(4));
  EXPECT_THAT(early->read_all(index_file('1'), soon()), Holds(relative_path(index_file('1'))));
  EXPECT_EQ(inner_->reads(), 5);
}

TEST_F(EarlyStorageTest, AListingThatFailedEarlyIsMadeAgainOnRequest) {
  std::atomic<bool> has_failed = false;
  inner_->watch([&](const FileName& file) -> Status {
    if (file != FileName{FileType::kIndex, ""} || has_failed.exchange(true)) return {};
    return Error(ErrorKind::kUnavailable, "the line was cut");
  });
  const auto early = begin();
  ASSERT_TRUE(has_read(2));
  EXPECT_THAT(value_of(early->list(FileType::kIndex, soon())), SizeIs(2));
  EXPECT_EQ(inner_->lists(FileType::kIndex), 2);
  EXPECT_THAT(early->read_all(index_file('1'), soon()), Holds(relative_path(index_file('1'))));
}

TEST_F(EarlyStorageTest, ARequestWaitsForTheSameReadThatIsUnderWay) {
  Gate gate;
  inner_->watch([&](const FileName& file) -> Status {
    if (file == index_file('1')) gate.pass();
    return {};
  });
  const auto early = begin();
  ASSERT_TRUE(has_read(4));
  auto waiting =
      std::async(std::launch::async, [&] { return early->read_all(index_file('1'), soon()); });
  EXPECT_EQ(waiting.wait_for(50ms), std::future_status::timeout);
  gate.open();
  EXPECT_THAT(waiting.get(), Holds(relative_path(index_file('1'))));
  EXPECT_EQ(inner_->reads(), 4);
}

TEST_F(EarlyStorageTest, WaitsNoLongerThanTheDeadline) {
  Gate gate;
  inner_->watch([&](const FileName& file) -> Status {
    if (file == FileName{FileType::kIndex, ""} && gate.arrived() == 0) gate.pass();
    return {};
  });
  const auto early = begin();
  ASSERT_TRUE(holds_within(30s, [&] { return gate.arrived() == 1; }));
  EXPECT_THAT(value_of(early->list(FileType::kIndex, Deadline::after(20ms))), SizeIs(2));
  gate.open();
  // A listing that comes too late is old by the next call of list().
  write(index_file('5'));
  EXPECT_THAT(value_of(early->list(FileType::kIndex, soon())), SizeIs(3));
  EXPECT_OK(early->read_all(index_file('1'), soon()));
}

TEST_F(EarlyStorageTest, BeginsNoFurtherReadOnceItEnds) {
  Gate gate;
  for (const char digit : {'a', 'b', 'c', 'd', 'e', 'f'}) write(index_file(digit));
  std::atomic<int> ended = 0;
  inner_->watch([&](const FileName& file) -> Status {
    if (file.type == FileType::kIndex && !file.name.empty()) {
      gate.pass();
      ++ended;
    }
    return {};
  });
  auto early = begin();
  gate.wait_for_arrivals(4);
  early->stop();
  gate.open();
  early.reset();
  EXPECT_EQ(ended, 4) << "the destructor has not waited";
  EXPECT_EQ(inner_->reads(FileType::kIndex), 4);
}

}  // namespace
}  // namespace restree
