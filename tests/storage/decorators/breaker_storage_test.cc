#include "repo/storage/decorators/breaker_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"
#include "tests/support/movable_disk.h"
#include "tests/support/watched_storage.h"

namespace restree::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const FileName kFile{FileType::kPack, std::string(64, 'a')};
const FileName kConfig{FileType::kConfig, ""};

// A server that can be switched off: what is asked of it then takes `kWait` of a clock that a test
// reads, and comes to nothing. Probes are let through in real time, as soon as there is time.
class Breaker : public ::testing::Test {
 protected:
  Breaker() {
    EXPECT_OK(memory_->write(kFile, as_bytes("0123"), soon()));
    EXPECT_OK(memory_->write(kConfig, as_bytes("c"), soon()));
    make({.patience = 60s, .between_probes = {1ms, 1, 1ms}, .probe_limit = 1s, .now = now()});
  }
  void make(BreakerTiming timing) {
    storage_ = std::make_unique<BreakerStorage>(inner_, std::move(timing));
  }
  std::function<Deadline::Clock::time_point()> now() {
    return [this] { return Deadline::Clock::time_point(elapsed_.load()); };
  }
  static Deadline soon() { return Deadline::after(60s); }

  void switch_off(std::chrono::seconds wait = 60s) {
    off_ = true;
    inner_->watch([this, wait](const FileName&) -> Status {
      if (!off_) return {};
      elapsed_ = elapsed_.load() + wait;
      return Error(ErrorKind::kUnavailable, "nobody there");
    });
    inner_->watch_sizes([this](const FileName&) -> Status {
      ++probes_;
      if (off_) return Error(ErrorKind::kUnavailable, "nobody there");
      return {};
    });
  }
  auto read() { return storage_->read(kFile, {1, 2}, soon()); }
  bool is_away() const { return storage_->figures().is_away; }

  std::atomic<Deadline::Clock::duration> elapsed_{1000h};
  std::atomic<bool> off_ = false;
  std::atomic<int> probes_ = 0;
  std::shared_ptr<MemoryStorage> memory_ = std::make_shared<MemoryStorage>();
  std::shared_ptr<WatchedStorage> inner_ = std::make_shared<WatchedStorage>(memory_);
  std::unique_ptr<BreakerStorage> storage_;
};

TEST_F(Breaker, AServerThatAnswersIsAskedEachTime) {
  EXPECT_THAT(read(), Holds("12"));
  EXPECT_THAT(storage_->read_all(kFile, soon()), Holds("0123"));
  EXPECT_EQ(inner_->reads(FileType::kPack), 2U);
  EXPECT_FALSE(is_away());
}

// A caller that reads much asks for the read habit, and may announce its next reads: both must
// reach the storage itself.
TEST_F(Breaker, HandsOnHowToReadMuch) {
  class Local final : public ForwardingStorage {
   public:
    using ForwardingStorage::ForwardingStorage;
    ReadHabit read_habit() const override { return {.request_bytes = 12345, .waits = false}; }
    void expect(const FileName& file, ByteRange) override { expected.push_back(file); }
    Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                      Deadline by) override {
      ++reads_into;
      return ForwardingStorage::read_into(buffer, file, range, by);
    }
    std::vector<FileName> expected;
    int reads_into = 0;
  };
  const auto local = std::make_shared<Local>(memory_);
  BreakerStorage storage(local, {});
  EXPECT_EQ(storage.read_habit().request_bytes, 12345U);
  EXPECT_FALSE(storage.read_habit().waits);
  storage.expect(kFile, {0, 2});
  EXPECT_THAT(local->expected, ::testing::ElementsAre(kFile));
  Bytes buffer;
  EXPECT_EQ(as_text(value_of(storage.read_into(buffer, kFile, {1, 2}, soon()))), "12");
  EXPECT_EQ(local->reads_into, 1);
  EXPECT_EQ(storage.figures().read_bytes, 2U);
}

TEST_F(Breaker, AfterAWholeDeadlineWithoutAnswerNobodyWaitsAgain) {
  switch_off();
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  ASSERT_TRUE(is_away());
  const auto before = elapsed_.load();
  for (int i = 0; i < 3; ++i) {
    const auto failed = read();
    ASSERT_THAT(failed, FailsWith(ErrorKind::kUnavailable));
    EXPECT_THAT(failed.error().message(), HasSubstr("nobody there"));
  }
  EXPECT_THAT(storage_->list(FileType::kSnapshot, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(elapsed_.load(), before);
  EXPECT_EQ(inner_->reads(FileType::kPack), 1U);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

TEST_F(Breaker, ACallWhoseDeadlineWasNearProvesNothing) {
  switch_off(5s);
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  elapsed_ = elapsed_.load() + 1h;
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_FALSE(is_away());
  EXPECT_EQ(inner_->reads(FileType::kPack), 2U);
}

TEST_F(Breaker, AnAnswerToAnotherCallProvesThatItIsThere) {
  inner_->watch([this](const FileName&) -> Status {
    elapsed_ = elapsed_.load() + 40s;
    EXPECT_OK(storage_->size(kFile, soon()));
    elapsed_ = elapsed_.load() + 20s;
    return Error(ErrorKind::kUnavailable, "too slow");
  });
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_FALSE(is_away());
}

TEST_F(Breaker, ARefusalIsAnAnswer) {
  inner_->watch([this](const FileName&) -> Status {
    elapsed_ = elapsed_.load() + 60s;
    return Error(ErrorKind::kDenied, "no");
  });
  EXPECT_THAT(read(), FailsWith(ErrorKind::kDenied));
  EXPECT_FALSE(is_away());
}

TEST_F(Breaker, AStopIsNoSilence) {
  inner_->watch([this](const FileName&) -> Status {
    elapsed_ = elapsed_.load() + 60s;
    return Error(ErrorKind::kCancelled, "stopped");
  });
  EXPECT_THAT(read(), FailsWith(ErrorKind::kCancelled));
  EXPECT_FALSE(is_away());
}

TEST_F(Breaker, WhatIsUnderWayWhenItIsFoundAwayGoesOn) {
  inner_->watch([this](const FileName&) -> Status {
    storage_->believe_away(Error(ErrorKind::kUnavailable, "unplugged"));
    return {};
  });
  EXPECT_THAT(read(), Holds("12"));
}

TEST_F(Breaker, FindsOutByItselfThatTheServerIsBack) {
  std::promise<void> back;
  storage_->on_return([&] { back.set_value(); });
  switch_off();
  storage_->believe_away(Error(ErrorKind::kUnavailable, "unplugged"));
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  while (probes_ < 3) std::this_thread::yield();
  EXPECT_TRUE(is_away());
  off_ = false;
  back.get_future().wait();
  EXPECT_FALSE(is_away());
  EXPECT_THAT(read(), Holds("12"));
}

TEST_F(Breaker, GoesAwayAndComesBackAgainAndAgain) {
  std::atomic<int> returns = 0;
  storage_->on_return([&] { ++returns; });
  for (int round = 1; round <= 3; ++round) {
    storage_->believe_away(Error(ErrorKind::kUnavailable, "unplugged"));
    while (returns < round) std::this_thread::yield();
    EXPECT_THAT(read(), Holds("12"));
  }
  storage_.reset();  // before `returns`
}

TEST_F(Breaker, CountsTheEndOfAnOutageBeforeItSaysThatTheServerIsBack) {
  const auto outages = storage_->outages();
  for (std::uint64_t round = 1; round <= 3; ++round) {
    storage_->believe_away(Error(ErrorKind::kUnavailable, "unplugged"));
    while (is_away()) std::this_thread::yield();
    EXPECT_EQ(outages->ended(), round);
  }
}

TEST_F(Breaker, EndsWhileItWaitsForTheNextProbe) {
  make({.patience = 60s, .between_probes = {1h, 1, 1h}, .probe_limit = 1s, .now = now()});
  storage_->believe_away(Error(ErrorKind::kUnavailable, "unplugged"));
  storage_.reset();
}

TEST_F(Breaker, CountsWhatWasAskedAndGot) {
  EXPECT_OK(read());
  EXPECT_OK(storage_->list(FileType::kPack, soon()));
  switch_off();
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  const auto figures = storage_->figures();
  EXPECT_EQ(figures.requests, 2U);
  EXPECT_EQ(figures.failures, 2U);
  EXPECT_EQ(figures.read_bytes, 2U);
}

// A server that answers, and a disk that may not be mounted there.
class BreakerOfADisk : public Breaker {
 protected:
  BreakerOfADisk() {
    place_ = std::make_shared<MovableDisk>(memory_);
    inner_ = std::make_shared<WatchedStorage>(place_);
    make({.patience = 60s, .between_probes = {1ms, 1, 1ms}, .probe_limit = 1s, .now = now()});
    EXPECT_OK(storage_->read_all(kConfig, soon()));
    storage_->on_return([this] { ++returns_; });
  }
  ~BreakerOfADisk() override { storage_.reset(); }  // before `returns_`
  // Until the config was looked at so often from now on.
  void wait_for_probes(std::size_t count) {
    const std::size_t before = inner_->reads(FileType::kConfig);
    while (inner_->reads(FileType::kConfig) < before + count) std::this_thread::yield();
  }
  void wait_for_return() {
    while (returns_ == 0) std::this_thread::yield();
  }

  std::shared_ptr<MovableDisk> place_;
  std::atomic<int> returns_ = 0;
};

TEST_F(BreakerOfADisk, ARepositoryThatVanishedIsAwayAtOnceAndThatIsSaidOnce) {
  ::testing::internal::CaptureStderr();
  place_->unmount();
  for (int i = 0; i < 3; ++i) {
    const auto failed = read();
    ASSERT_THAT(failed, FailsWith(ErrorKind::kUnavailable));
    EXPECT_THAT(failed.error().message(), HasSubstr("no config file"));
    EXPECT_THAT(storage_->list(FileType::kSnapshot, soon()), FailsWith(ErrorKind::kUnavailable));
  }
  EXPECT_TRUE(is_away());
  wait_for_probes(3);
  EXPECT_TRUE(is_away());
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(log, HasSubstr("/srv/backup: the repository is not there any more"));
}

TEST_F(BreakerOfADisk, IsBackWithItsOwnConfigAndSaysSo) {
  place_->unmount();
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  ::testing::internal::CaptureStderr();
  place_->mount(memory_);
  wait_for_return();
  EXPECT_FALSE(is_away());
  EXPECT_THAT(read(), Holds("12"));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("/srv/backup: the repository is there again, after"));
}

TEST_F(BreakerOfADisk, AnotherRepositoryInItsPlaceIsNotItsReturn) {
  place_->unmount();
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  ::testing::internal::CaptureStderr();
  const auto other = std::make_shared<MemoryStorage>();
  EXPECT_OK(other->write(kConfig, as_bytes("of another"), soon()));
  place_->mount(other);
  wait_for_probes(3);
  EXPECT_TRUE(is_away());
  const auto failed = read();
  ASSERT_THAT(failed, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(failed.error().message(), HasSubstr("another repository lies there now"));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_EQ(returns_, 0);
  place_->mount(memory_);
  wait_for_return();
  EXPECT_THAT(read(), Holds("12"));
}

TEST_F(BreakerOfADisk, AServerThatIsBackWithoutTheDiskIsNotBack) {
  place_->unmount();
  storage_->believe_away(Error(ErrorKind::kUnavailable, "unplugged"));
  wait_for_probes(2);
  EXPECT_TRUE(is_away());
  const auto failed = read();
  ASSERT_THAT(failed, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(failed.error().message(), HasSubstr("no config file"));
  place_->mount(memory_);
  wait_for_return();
  EXPECT_THAT(read(), Holds("12"));
}

TEST_F(BreakerOfADisk, ARepositoryThatMayNotBeSeenIsNotBack) {
  place_->unmount();
  EXPECT_THAT(read(), FailsWith(ErrorKind::kUnavailable));
  inner_->watch([](const FileName&) -> Status { return Error(ErrorKind::kDenied, "no"); });
  wait_for_probes(3);
  EXPECT_TRUE(is_away());
}

}  // namespace
}  // namespace restree::testing
