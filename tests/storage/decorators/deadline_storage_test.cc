#include "repo/storage/decorators/deadline_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/gate.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::FailsWith;
using testing::Gate;
using ::testing::HasSubstr;
using testing::Holds;

const FileName kConfig{FileType::kConfig, ""};

// A folder whose server is away until the gate is open.
class HungStorage final : public ForwardingStorage {
 public:
  HungStorage(std::shared_ptr<Storage> inner, std::shared_ptr<Gate> gate)
      : ForwardingStorage(std::move(inner)), gate_(std::move(gate)) {}
  Status make_folders(Deadline by) override { return pass().make_folders(by); }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
    return pass().list(type, by);
  }
  Result<std::uint64_t> size(const FileName& file, Deadline by) override {
    return pass().size(file, by);
  }
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override {
    return pass().read(file, range, by);
  }
  Result<Bytes> read_all(const FileName& file, Deadline by) override {
    return pass().read_all(file, by);
  }
  Status write(const FileName& file, ByteView content, Deadline by) override {
    return pass().write(file, content, by);
  }
  Status remove(const FileName& file, Deadline by) override { return pass().remove(file, by); }
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override {
    return pass().remove_leftovers(which, by);
  }
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override {
    return pass().free_bytes(by);
  }
  std::string description() const override { return "/mnt/nas"; }

 private:
  Storage& pass() {
    gate_->pass();
    return inner();
  }
  const std::shared_ptr<Gate> gate_;
};

class DeadlineStorageTest : public ::testing::Test {
 protected:
  ~DeadlineStorageTest() override { gate_->open(); }

  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  const std::shared_ptr<MemoryStorage> memory_ = std::make_shared<MemoryStorage>();
  std::stop_source stop_;
  DeadlineStorage storage_{std::make_shared<HungStorage>(memory_, gate_), stop_.get_token()};
};

TEST_F(DeadlineStorageTest, EveryCallEndsByItsDeadline) {
  const auto soon = [] { return Deadline::after(1ms); };
  Bytes buffer;
  EXPECT_THAT(storage_.make_folders(soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.list(FileType::kPack, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.size(kConfig, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.read(kConfig, {0, 1}, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.read_into(buffer, kConfig, {0, 1}, soon()),
              FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.read_all(kConfig, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.write(kConfig, as_bytes("x"), soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.remove(kConfig, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.remove_leftovers({}, soon()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(storage_.free_bytes(soon()), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(DeadlineStorageTest, TheErrorNamesTheFolderAndWhatWasDone) {
  const auto read = storage_.read_all(kConfig, Deadline::after(1ms));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message(), HasSubstr("reading config"));
  EXPECT_THAT(read.error().message(), HasSubstr("/mnt/nas"));
}

TEST_F(DeadlineStorageTest, AWriteThatIsLeftBehindOwnsItsBytes) {
  {
    const std::string content(1000, 'x');
    EXPECT_THAT(storage_.write(kConfig, as_bytes(content), Deadline::after(1ms)),
                FailsWith(ErrorKind::kUnavailable));
  }
  gate_->open();
  // Calls begin in order, but not all end so: look until it is there.
  while (!memory_->size(kConfig, Deadline::never())) std::this_thread::yield();
  EXPECT_THAT(storage_.read_all(kConfig, Deadline::never()), Holds(std::string(1000, 'x')));
}

TEST_F(DeadlineStorageTest, ACallThatHangsEndsWhenTheProgramIsAskedTo) {
  ASSERT_OK(memory_->write(kConfig, as_bytes("config"), Deadline::never()));
  std::jthread stopping([&] {
    gate_->wait_for_arrivals(1);
    stop_.request_stop();
  });
  EXPECT_THAT(storage_.read_all(kConfig, Deadline::never()), FailsWith(ErrorKind::kCancelled));
}

// Or its lock would be left behind.
TEST_F(DeadlineStorageTest, AProgramThatWasAskedToStopCanStillRemoveItsFiles) {
  ASSERT_OK(memory_->write(kConfig, as_bytes("config"), Deadline::never()));
  stop_.request_stop();
  gate_->open();
  EXPECT_OK(storage_.remove(kConfig, Deadline::never()));
}

TEST_F(DeadlineStorageTest, AServerThatIsBackIsAskedAgain) {
  ASSERT_OK(memory_->write(kConfig, as_bytes("config"), Deadline::never()));
  EXPECT_THAT(storage_.read_all(kConfig, Deadline::after(1ms)), FailsWith(ErrorKind::kUnavailable));
  gate_->open();
  EXPECT_THAT(storage_.read_all(kConfig, Deadline::never()), Holds(std::string("config")));
}

}  // namespace
}  // namespace restree
