#include "repo/storage/decorators/retry_storage.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using namespace std::chrono_literals;
using Clock = Deadline::Clock;

const FileName kFile{FileType::kPack, std::string(64, 'a')};

TEST(BackOff, GrowsToItsLimitAndSpreadsOverTheUpperHalf) {
  const BackOff back_off{200ms, 2, 10'000ms};
  EXPECT_EQ(back_off.wait(1, 0), 100ms);
  EXPECT_EQ(back_off.wait(1, 0.5), 150ms);
  EXPECT_EQ(back_off.wait(2, 0), 200ms);
  EXPECT_EQ(back_off.wait(4, 0), 800ms);
  EXPECT_EQ(back_off.wait(7, 0), 5'000ms);
  EXPECT_EQ(back_off.wait(4'000'000'000U, 0), 5'000ms);
  EXPECT_LE(back_off.wait(50, 0.999999), 10'000ms);
}

// A storage that fails with the given `errors`, one for each call, then works.
class Failing final : public Storage {
 public:
  std::deque<ErrorKind> errors;
  int calls = 0;

  Status reach(Deadline by) override {
    if (auto error = next()) return *error;
    return memory.reach(by);
  }
  Status make_folders(Deadline by) override {
    if (auto error = next()) return *error;
    return memory.make_folders(by);
  }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    if (auto error = next()) return *error;
    return memory.list(type, by);
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    if (auto error = next()) return *error;
    return memory.size(file, by);
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    if (auto error = next()) return *error;
    return memory.read(file, range, by);
  }
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override {
    if (auto error = next()) return *error;
    return memory.read_into(buffer, file, range, by);
  }
  void expect(const FileName& file, ByteRange range) override { memory.expect(file, range); }
  ReadHabit read_habit() const override { return memory.read_habit(); }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    if (auto error = next()) return *error;
    return memory.read_all(file, by);
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    if (auto error = next()) return *error;
    return memory.write(file, content, by);
  }
  Status join(std::span<const FileRange> ranges, ByteView end, const NameJoined& name,
              Deadline by) override {
    if (auto error = next()) return *error;
    return memory.join(ranges, end, name, by);
  }
  // The server removes the file even if the answer is lost.
  Status remove(const FileName& file, Deadline by) override {
    Status removed = memory.remove(file, by);
    if (auto error = next()) return *error;
    return removed;
  }
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override {
    if (auto error = next()) return *error;
    return memory.remove_leftovers(which, by);
  }
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override {
    if (auto error = next()) return *error;
    return memory.free_bytes(by);
  }
  std::string description() const override { return "failing"; }

  MemoryStorage memory;

 private:
  std::optional<Error> next() {
    ++calls;
    if (errors.empty()) return std::nullopt;
    const ErrorKind kind = errors.front();
    errors.pop_front();
    return Error(kind, "nas: trouble");
  }
};

class RetryStorageTest : public ::testing::Test {
 protected:
  RetryStorageTest()
      : storage_(inner_, BackOff{200ms, 2, 10'000ms}, stop_.get_token(),
                 RetryWorld{[this] { return now_; },
                            [this](Clock::time_point when) {
                              slept_.push_back(when - now_);
                              now_ = when;
                            },
                            [] { return 0.0; }}) {}

  // The other side answers for the first time.
  void SetUp() override {
    EXPECT_OK(storage_.list(FileType::kPack, in(60s)));
    inner_->calls = 0;
  }

  Deadline in(Clock::duration time) const { return Deadline::at(now_ + time); }

  std::shared_ptr<Failing> inner_ = std::make_shared<Failing>();
  std::stop_source stop_;
  Clock::time_point now_ = Clock::now() + 1000h;
  std::vector<Clock::duration> slept_;
  RetryStorage storage_;
};

TEST_F(RetryStorageTest, UnavailableStorageIsTriedAgainAfterGrowingPauses) {
  ASSERT_OK(inner_->memory.write(kFile, as_bytes("0123"), in(1h)));
  inner_->errors.assign(3, ErrorKind::kUnavailable);
  EXPECT_THAT(storage_.read(kFile, {1, 2}, in(60s)), Holds("12"));
  EXPECT_EQ(slept_, (std::vector<Clock::duration>{100ms, 200ms, 400ms}));
}

class NeverReached : public RetryStorageTest {
 protected:
  void SetUp() override {}
};

TEST_F(NeverReached, AStorageIsGivenUpWithinSecondsWithTheReason) {
  inner_->errors.assign(1000, ErrorKind::kUnavailable);
  const auto began = now_;
  ::testing::internal::CaptureStderr();
  const auto answer = storage_.read_all(kFile, in(15min));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  ASSERT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(answer.error().message(), "nas: trouble");
  EXPECT_GT(inner_->calls, 1);
  EXPECT_EQ(now_ - began, RetryStorage::kFirstContact);
  inner_->calls = 0;
  EXPECT_THAT(storage_.read_all(kFile, in(15min)), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(inner_->calls, 1);
}

TEST_F(NeverReached, AnAnswerWithinSecondsIsFirstContactAndLaterTroubleIsWaitedFor) {
  inner_->errors = {ErrorKind::kUnavailable, ErrorKind::kUnavailable, ErrorKind::kNotFound};
  EXPECT_THAT(storage_.read_all(kFile, in(15min)), FailsWith(ErrorKind::kNotFound));
  inner_->errors.assign(1000, ErrorKind::kUnavailable);
  const auto began = now_;
  EXPECT_THAT(storage_.read_all(kFile, in(15min)), FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(now_ - began, 15min);
}

TEST_F(RetryStorageTest, EveryCallIsRepeated) {
  const auto fail = [this] { inner_->errors.assign(1, ErrorKind::kUnavailable); };
  fail();
  EXPECT_OK(storage_.write(kFile, as_bytes("0123"), in(60s)));
  fail();
  EXPECT_THAT(storage_.read_all(kFile, in(60s)), Holds("0123"));
  fail();
  EXPECT_EQ(value_of(storage_.size(kFile, in(60s))), 4U);
  fail();
  EXPECT_EQ(value_of(storage_.list(FileType::kPack, in(60s))).size(), 1U);
  EXPECT_EQ(slept_.size(), 4U);
}

TEST_F(RetryStorageTest, ARemoveWhoseAnswerWasLostSucceeds) {
  ASSERT_OK(inner_->memory.write(kFile, as_bytes("0123"), in(1h)));
  inner_->errors.assign(1, ErrorKind::kUnavailable);
  EXPECT_OK(storage_.remove(kFile, in(60s)));
  EXPECT_THAT(storage_.remove(kFile, in(60s)), FailsWith(ErrorKind::kNotFound));
}

TEST_F(RetryStorageTest, OtherErrorsAreNotRepeated) {
  for (const auto kind : {ErrorKind::kNotFound, ErrorKind::kDenied, ErrorKind::kCorrupt,
                          ErrorKind::kLocalIo, ErrorKind::kUnsupported, ErrorKind::kInvalid}) {
    inner_->errors.assign(1, kind);
    inner_->calls = 0;
    EXPECT_THAT(storage_.read_all(kFile, in(60s)), FailsWith(kind));
    EXPECT_EQ(inner_->calls, 1);
  }
  EXPECT_TRUE(slept_.empty());
}

TEST_F(RetryStorageTest, CallsAreRepeatedUntilTheirDeadline) {
  inner_->errors.assign(1000, ErrorKind::kUnavailable);
  const auto began = now_;
  const auto answer = storage_.read_all(kFile, in(60s));
  EXPECT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
  EXPECT_EQ(answer.error().message(), "nas: trouble");
  EXPECT_EQ(now_ - began, 60s);
}

TEST_F(RetryStorageTest, AStopRequestEndsTheRepetition) {
  inner_->errors.assign(1000, ErrorKind::kUnavailable);
  stop_.request_stop();
  EXPECT_THAT(storage_.read_all(kFile, in(60s)), FailsWith(ErrorKind::kCancelled));
  EXPECT_EQ(inner_->calls, 1);
}

TEST_F(RetryStorageTest, TroubleIsLoggedOnceAndSoIsItsEnd) {
  inner_->errors.assign(5, ErrorKind::kUnavailable);
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(storage_.read_all(kFile, in(60s)), FailsWith(ErrorKind::kNotFound));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
  EXPECT_THAT(log, ::testing::HasSubstr("nas: trouble"));
  EXPECT_THAT(log, ::testing::ContainsRegex("trying again until [0-9]+:[0-9]+:[0-9]+\n"));
  EXPECT_THAT(log, ::testing::HasSubstr("works again"));
}

TEST_F(RetryStorageTest, TroubleThatMayLastForEverHasNoEndInTheLog) {
  inner_->errors.assign(5, ErrorKind::kUnavailable);
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(storage_.read_all(kFile, Deadline::never()), FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("trying again\n"));
}

TEST_F(RetryStorageTest, TroubleThatComesAndGoesDoesNotFillTheLog) {
  ::testing::internal::CaptureStderr();
  for (int round = 0; round < 50; ++round) {
    inner_->errors.assign(1, ErrorKind::kUnavailable);
    EXPECT_THAT(storage_.read_all(kFile, in(60s)), FailsWith(ErrorKind::kNotFound));
  }
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
}

TEST_F(RetryStorageTest, TroubleThatComesBackAndLastsIsLogged) {
  ::testing::internal::CaptureStderr();
  inner_->errors.assign(1, ErrorKind::kUnavailable);
  EXPECT_THAT(storage_.read_all(kFile, in(60s)), FailsWith(ErrorKind::kNotFound));
  inner_->errors.assign(1000, ErrorKind::kUnavailable);
  EXPECT_THAT(storage_.read_all(kFile, in(60s)), FailsWith(ErrorKind::kUnavailable));
  inner_->errors.clear();
  EXPECT_THAT(storage_.read_all(kFile, in(60s)), FailsWith(ErrorKind::kNotFound));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 4) << log;
}

}  // namespace
}  // namespace restree::testing
