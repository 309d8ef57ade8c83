// A lock that cannot be refreshed, or that others remove.
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "repo/lock/repository_lock.h"
#include "tests/lock/locking.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::holds_within;
using ::testing::IsEmpty;
using testing::lock_elsewhere;
using testing::Locking;
using testing::soon;
using testing::value_of;

// A lock that is in doubt at once, and whose refreshes fail as long as the server is away.
class LockInDoubt : public Locking {
 protected:
  LockInDoubt() {
    files_.storage().watch_writes([this](const FileName& file) -> Status {
      if (file.type != FileType::kLock || !away_) return {};
      return Error(ErrorKind::kUnavailable, "no route to host");
    });
    LockRequest wanted = request(true);
    wanted.times.refresh = 1ms;
    wanted.times.doubt = 5ms;
    lock_ = value_of(acquire(wanted));
    away_ = true;
    EXPECT_TRUE(holds_within(60s, [&] {
      const Status status = change();
      return !status && status.error().kind() == ErrorKind::kUnavailable;
    }));
  }
  Status change() {
    return repository_->storage().write({FileType::kSnapshot, std::string(64, 'a')}, as_bytes("s"),
                                        Deadline::after(10ms));
  }

  std::atomic<bool> away_ = false;
  std::unique_ptr<RepositoryLock> lock_;
};

TEST_F(LockInDoubt, LetsNothingBeWrittenUntilItIsRefreshed) {
  away_ = false;
  EXPECT_TRUE(holds_within(60s, [&] { return change().has_value(); }));
  EXPECT_THAT(names(), ::testing::Not(IsEmpty()));
}

TEST_F(LockInDoubt, LetsNothingBeWrittenAnyMoreIfOthersHaveRemovedIt) {
  for (const std::string& name : names()) remove(name);
  away_ = false;
  EXPECT_TRUE(holds_within(60s, [&] {
    const Status status = change();
    return !status && status.error().kind() == ErrorKind::kLocked;
  }));
  EXPECT_THAT(names(), IsEmpty());
  const std::string others = put(lock_elsewhere(true));
  lock_.reset();
  EXPECT_THAT(names(), ElementsAre(others));
}

// A lock that is refreshed all the time, or only when the test ends.
class LosingTheLock : public Locking {
 protected:
  static FileName lock_file(const std::string& name) { return {FileType::kLock, name}; }
  static FileName snapshot(char c) { return {FileType::kSnapshot, std::string(64, c)}; }
  Status write(const FileName& file) {
    return repository_->storage().write(file, as_bytes("s"), soon());
  }
  std::unique_ptr<RepositoryLock> acquire_with(std::chrono::milliseconds refresh) {
    LockRequest wanted = request(false);
    wanted.times.refresh = refresh;
    wanted.times.good_look = 0ms;
    return value_of(acquire(wanted));
  }
  void remove_all() { EXPECT_OK(remove_locks(*repository_, true, soon())); }
};

TEST_F(LosingTheLock, IsNoticedWhenItIsRefreshed) {
  const auto lock = acquire_with(1ms);
  // A refresh may write its new lock just after the others are gone.
  EXPECT_TRUE(holds_within(60s, [&] {
    remove_all();
    const Status pack = write({FileType::kPack, std::string(64, 'a')});
    return !pack && pack.error().kind() == ErrorKind::kLocked;
  }));
  EXPECT_THAT(names(), IsEmpty()) << "nobody is kept out any more";
}

TEST_F(LosingTheLock, IsNoticedBeforeASnapshotIsWritten) {
  const auto lock = acquire_with(1h);
  EXPECT_OK(write(snapshot('a')));
  remove_all();
  const Status status = write(snapshot('b'));
  ASSERT_THAT(status, FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(status.error().message(), HasSubstr("was removed by others"));
  EXPECT_THAT(status.error().hint(), HasSubstr("Start again"));
  EXPECT_THAT(repository_->storage().size(snapshot('b'), soon()), FailsWith(ErrorKind::kNotFound));
}

TEST_F(LosingTheLock, IsNoticedBeforeAnythingIsRemoved) {
  const auto lock = acquire_with(1h);
  ASSERT_OK(write(snapshot('a')));
  remove_all();
  EXPECT_THAT(repository_->storage().remove(snapshot('a'), soon()), FailsWith(ErrorKind::kLocked));
  EXPECT_OK(repository_->storage().size(snapshot('a'), soon()));
}

TEST_F(LosingTheLock, IsNotSeenWhereARefreshReplacesItDuringTheLook) {
  const auto lock = acquire_with(1ms);
  for (int i = 0; i < 500; ++i) ASSERT_OK(write(snapshot('a')));
}

TEST_F(LosingTheLock, ATakenLookIsGoodForAWhile) {
  LockRequest wanted = request(false);
  wanted.times.good_look = 1h;
  const auto lock = value_of(acquire(wanted));
  const std::size_t before = files_.storage().lists(FileType::kLock);
  EXPECT_OK(write(snapshot('a')));
  EXPECT_OK(write(snapshot('b')));
  EXPECT_OK(repository_->storage().remove(snapshot('a'), soon()));
  EXPECT_EQ(files_.storage().lists(FileType::kLock), before + 1);
}

TEST_F(LosingTheLock, DoesNotMatterOnceTheLockIsGivenBack) {
  auto lock = acquire_with(1h);
  remove_all();
  lock.reset();
  EXPECT_OK(write(snapshot('a')));
}

TEST_F(LosingTheLock, ToReadMakesItTakeTheLockAgain) {
  LockRequest wanted = reading(false);
  wanted.times.refresh = 1ms;
  auto lock = value_of(acquire(wanted));
  const std::string others = put(lock_elsewhere(true));
  EXPECT_TRUE(holds_within(60s, [&] {
    const std::vector<std::string> found = names();
    for (const std::string& name : found) {
      // It may have been replaced since.
      if (name != others) static_cast<void>(repository_->storage().remove(lock_file(name), soon()));
    }
    return found == std::vector{others};
  }));
  const std::size_t lists = files_.storage().lists(FileType::kLock);
  EXPECT_TRUE(
      holds_within(60s, [&] { return files_.storage().lists(FileType::kLock) > lists + 3; }));
  EXPECT_THAT(names(), ElementsAre(others)) << "it waits for the one in its way";
  remove(others);
  EXPECT_TRUE(holds_within(60s, [&] { return !names().empty(); }));
  lock.reset();
  EXPECT_THAT(names(), IsEmpty());
}

}  // namespace
}  // namespace restree
