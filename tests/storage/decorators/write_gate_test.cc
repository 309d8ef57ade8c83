#include "repo/storage/decorators/write_gate.h"

#include <chrono>
#include <future>
#include <memory>

#include "repo/storage/memory_storage.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::Holds;

const FileName kPack{FileType::kPack, std::string(64, '7')};
const FileName kSnapshot{FileType::kSnapshot, std::string(64, '5')};
const FileName kLock{FileType::kLock, std::string(64, '1')};

class WriteGateTest : public ::testing::Test {
 protected:
  Status write(const FileName& file, Deadline by = Deadline::never()) {
    return gate_.write(file, as_bytes("content"), by);
  }
  static Deadline now() { return Deadline::after(std::chrono::seconds(0)); }

  WriteGate gate_{std::make_shared<MemoryStorage>()};
};

TEST_F(WriteGateTest, LetsEverythingPassAtFirst) {
  EXPECT_OK(gate_.make_folders(now()));
  EXPECT_OK(write(kPack));
  EXPECT_THAT(gate_.read_all(kPack, now()), Holds("content"));
  EXPECT_OK(gate_.remove(kPack, now()));
}

TEST_F(WriteGateTest, HeldLetsNothingBeChangedButLocks) {
  ASSERT_OK(write(kPack));
  gate_.hold();
  EXPECT_THAT(write(kPack, now()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(gate_.remove(kPack, now()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(gate_.make_folders(now()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(gate_.remove_leftovers({}, now()), FailsWith(ErrorKind::kUnavailable));
  const auto name = [](const ReadJoined&) { return Result<FileName>(kPack); };
  EXPECT_THAT(gate_.join({}, {}, name, now()), FailsWith(ErrorKind::kUnavailable));
  EXPECT_OK(write(kLock));
  EXPECT_OK(gate_.remove(kLock, now()));
  EXPECT_THAT(gate_.read_all(kPack, now()), Holds("content"));
}

TEST_F(WriteGateTest, LetsThoseWhoWaitPassWhenItOpens) {
  gate_.hold();
  auto waiting = std::async(std::launch::async, [&] { return write(kPack); });
  gate_.open();
  EXPECT_OK(waiting.get());
}

TEST_F(WriteGateTest, ShutTellsThoseWhoWaitAndAllLaterOnesWhy) {
  gate_.hold();
  auto waiting = std::async(std::launch::async, [&] { return write(kPack); });
  gate_.shut(Error(ErrorKind::kLocked, "the lock is lost"));
  EXPECT_THAT(waiting.get(), FailsWith(ErrorKind::kLocked));
  gate_.open();
  EXPECT_THAT(write(kPack), FailsWith(ErrorKind::kLocked));
}

TEST_F(WriteGateTest, LooksBeforeItChangesWhatOthersRelyOn) {
  int looks = 0;
  gate_.look_first([&](Deadline) -> Status {
    ++looks;
    return {};
  });
  EXPECT_OK(write(kPack));
  EXPECT_OK(write(kLock));
  EXPECT_OK(gate_.remove(kLock, now()));
  EXPECT_EQ(looks, 0);
  EXPECT_OK(write(kSnapshot));
  EXPECT_EQ(looks, 2) << "before and after";
  EXPECT_OK(gate_.remove(kPack, now()));
  EXPECT_EQ(looks, 3);
  gate_.look_first(nullptr);
  EXPECT_OK(gate_.remove(kSnapshot, now()));
  EXPECT_EQ(looks, 3);
}

TEST_F(WriteGateTest, ASnapshotWrittenWhileTheLockWasLostIsAnError) {
  int looks = 0;
  gate_.look_first([&](Deadline) -> Status {
    if (++looks == 2) return Error(ErrorKind::kLocked, "it is lost");
    return {};
  });
  EXPECT_THAT(write(kSnapshot), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(write(kPack), FailsWith(ErrorKind::kLocked));
}

TEST_F(WriteGateTest, ASnapshotIsWrittenAlsoIfTheLockCannotBeLookedForAfterwards) {
  int looks = 0;
  gate_.look_first([&](Deadline) -> Status {
    if (++looks == 2) return Error(ErrorKind::kUnavailable, "no route to host");
    return {};
  });
  EXPECT_OK(write(kSnapshot));
  EXPECT_OK(write(kPack));
}

TEST_F(WriteGateTest, IsShutByALookThatFindsTheLockGone) {
  gate_.look_first([](Deadline) -> Status { return Error(ErrorKind::kLocked, "it is lost"); });
  EXPECT_THAT(write(kSnapshot), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(gate_.size(kSnapshot, now()), FailsWith(ErrorKind::kNotFound));
  gate_.look_first(nullptr);
  EXPECT_THAT(write(kPack), FailsWith(ErrorKind::kLocked));
}

TEST_F(WriteGateTest, StaysOpenAfterALookThatCouldNotBeTaken) {
  bool away = true;
  gate_.look_first([&](Deadline) -> Status {
    if (away) return Error(ErrorKind::kUnavailable, "no route to host");
    return {};
  });
  EXPECT_THAT(write(kSnapshot), FailsWith(ErrorKind::kUnavailable));
  away = false;
  EXPECT_OK(write(kSnapshot));
}

}  // namespace
}  // namespace restree
