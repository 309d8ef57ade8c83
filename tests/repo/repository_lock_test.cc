#include "repo/repository_lock.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/locks.h"
#include "tests/support/memory_repository.h"
#include "tests/support/process.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::holds_within;
using ::testing::IsEmpty;
using testing::lock_elsewhere;
using ::testing::SizeIs;
using testing::soon;
using ::testing::UnorderedElementsAre;
using testing::value_of;

constexpr LockTimes kQuick{.settle = 1ms, .first_retry = 1ms, .unreadable_pause = 1ms};

class Locking : public ::testing::Test {
 protected:
  // Another's lock; its name.
  std::string put(const LockFile& lock) {
    return files_.builder().add_sealed(FileType::kLock, write_lock_file(lock));
  }
  void remove(const std::string& name) { files_.remove({FileType::kLock, name}); }
  std::vector<std::string> names() { return testing::lock_names(files_.storage()); }

  LockRequest request(bool exclusive) {
    return {.exclusive = exclusive,
            .tell = [this](const std::string& message) { told_.push_back(message); },
            .times = kQuick};
  }
  Result<std::unique_ptr<RepositoryLock>> acquire(const LockRequest& wanted) {
    return RepositoryLock::acquire(*repository_, wanted, soon());
  }
  Result<std::unique_ptr<RepositoryLock>> acquire(bool exclusive) {
    return acquire(request(exclusive));
  }

  testing::MemoryRepository files_;
  std::unique_ptr<Repository> repository_ = files_.open();
  std::vector<std::string> told_;
};

TEST_F(Locking, LeavesAFileForAsLongAsItLasts) {
  auto lock = acquire(true);
  ASSERT_OK(lock);
  ASSERT_THAT(names(), SizeIs(1));
  const Bytes json =
      value_of(repository_->load_unpacked({FileType::kLock, names().front()}, soon()));
  const LockFile file = value_of(parse_lock_file(json));
  EXPECT_TRUE(file.exclusive);
  EXPECT_EQ(file.pid, own_lock(true).pid);
  EXPECT_EQ(file.hostname, own_lock(true).hostname);
  lock->reset();
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(Locking, SharedOnesGoTogether) {
  const auto first = acquire(false);
  const auto second = acquire(false);
  EXPECT_OK(first);
  EXPECT_OK(second);
}

TEST_F(Locking, AnExclusiveOneGoesWithNoOther) {
  for (const bool theirs : {false, true}) {
    const std::string other = put(lock_elsewhere(theirs));
    EXPECT_THAT(acquire(true), FailsWith(ErrorKind::kLocked));
    EXPECT_THAT(names(), ElementsAre(other));
    remove(other);
  }
}

TEST_F(Locking, SaysWhoIsInTheWayAndSinceWhen) {
  LockFile other = lock_elsewhere(true);
  other.uid = 1000;
  other.gid = 100;
  const std::string name = put(other);
  const auto refused = acquire(false);
  ASSERT_THAT(refused, FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(
      refused.error().message(),
      AllOf(HasSubstr("unable to create lock in backend: repository is already locked exclusively "
                      "by PID 4711 on elsewhere by bob (UID 1000, GID 100)"),
            HasSubstr("lock was created at " + format_timestamp(other.time)),
            HasSubstr("storage ID " + name.substr(0, 8))));
  EXPECT_THAT(refused.error().hint(), HasSubstr("unlock"));
}

TEST_F(Locking, ReplacesTheLockOfAProcessThatIsGone) {
  LockFile dead = own_lock(true);
  dead.pid = testing::number_of_a_dead_process();
  const std::string name = put(dead);
  const auto lock = acquire(false);
  ASSERT_OK(lock);
  EXPECT_THAT(names(), AllOf(SizeIs(1), ::testing::Not(Contains(name))));
  EXPECT_THAT(told_,
              ElementsAre(HasSubstr("removed the stale lock of PID " + std::to_string(dead.pid))));
}

TEST_F(Locking, ReplacesALockThatWasNotRefreshedForHalfAnHour) {
  LockFile old = lock_elsewhere(false);
  old.time.seconds -= 31 * 60;
  put(old);
  EXPECT_OK(acquire(true));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("31 minutes")));
}

TEST_F(Locking, LeavesAStaleLockThatIsNotInTheWay) {
  LockFile old = lock_elsewhere(false);
  old.time.seconds -= 31 * 60;
  const std::string name = put(old);
  EXPECT_OK(acquire(false));
  EXPECT_THAT(names(), ElementsAre(name));
}

TEST_F(Locking, ClearsTheLockOfAProcessThatDiedHereEvenIfItIsNotInTheWay) {
  LockFile dead = own_lock(false);
  dead.pid = testing::number_of_a_dead_process();
  put(dead);
  const auto lock = value_of(acquire(false));
  EXPECT_THAT(names(), SizeIs(1));
  EXPECT_TRUE(lock->found_leftovers());
  EXPECT_FALSE(lock->has_company());
}

TEST_F(Locking, KnowsThatOthersAreAtWork) {
  put(lock_elsewhere(false));
  const auto lock = value_of(acquire(false));
  EXPECT_FALSE(lock->found_leftovers());
  EXPECT_TRUE(lock->has_company());
}

TEST_F(Locking, LooksAgainWhenALockCannotBeRead) {
  const std::string name = put(lock_elsewhere(false));
  std::atomic<int> reads = 0;
  files_.storage().watch([&](const FileName& file) -> Status {
    if (file.name != name || ++reads > 2) return {};
    return Error(ErrorKind::kCorrupt, "half of a file");
  });
  EXPECT_OK(acquire(false));
}

TEST_F(Locking, FailsWhenALockStaysUnreadable) {
  files_.damage({FileType::kLock, put(lock_elsewhere(false))});
  const auto refused = acquire(false);
  ASSERT_THAT(refused, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(refused.error().hint(), HasSubstr("unlock --remove-all"));
}

TEST_F(Locking, TakesAnEmptyLockFileForNone) {
  ASSERT_OK(files_.storage().write({FileType::kLock, std::string(64, 'a')}, {}, soon()));
  EXPECT_OK(acquire(true));
}

TEST_F(Locking, OfTwoThatBeginTogetherSeesTheOther) {
  std::atomic<int> lists = 0;
  std::string other;
  files_.storage().watch([&](const FileName& file) -> Status {
    if (file.type == FileType::kLock && file.name.empty() && ++lists == 2) {
      other = put(lock_elsewhere(true));
    }
    return {};
  });
  EXPECT_THAT(acquire(false), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(names(), ElementsAre(other)) << "its own is gone";
}

TEST_F(Locking, WaitsForTheOtherIfAskedTo) {
  const std::string other = put(lock_elsewhere(true));
  LockRequest patient = request(false);
  patient.retry_for = 65s;
  patient.tell = [&](const std::string& message) {
    told_.push_back(message);
    remove(other);
  };
  EXPECT_OK(acquire(patient));
  EXPECT_THAT(told_, ElementsAre("repo already locked, waiting up to 1m5s for the lock"));
}

TEST_F(Locking, WaitsNoLongerThanAskedTo) {
  put(lock_elsewhere(true));
  LockRequest impatient = request(false);
  impatient.retry_for = 20ms;
  EXPECT_THAT(acquire(impatient), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(told_, SizeIs(1)) << "says once that it waits";
}

TEST_F(Locking, StopsWaitingWhenStopped) {
  put(lock_elsewhere(true));
  std::stop_source stop;
  LockRequest patient = request(false);
  patient.retry_for = 1h;
  patient.times.first_retry = 1h;
  patient.stop = stop.get_token();
  patient.tell = [&](const std::string&) { stop.request_stop(); };
  EXPECT_THAT(acquire(patient), FailsWith(ErrorKind::kCancelled));
  EXPECT_THAT(names(), SizeIs(1));
}

TEST_F(Locking, IsRefreshedUnderANewName) {
  LockRequest wanted = request(true);
  wanted.times.refresh = 1ms;
  auto lock = value_of(acquire(wanted));
  const std::vector<std::string> before = names();
  EXPECT_TRUE(holds_within(60s, [&] {
    const auto now = names();
    return std::find(now.begin(), now.end(), before.front()) == now.end() && !now.empty();
  }));
  lock.reset();
  EXPECT_THAT(names(), IsEmpty());
}

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

TEST_F(Locking, RemoveLocksTakesAwayWhatNobodyHolds) {
  LockFile dead = own_lock(false);
  dead.pid = testing::number_of_a_dead_process();
  put(dead);
  LockFile old = lock_elsewhere(true);
  old.time.seconds -= 3600;
  put(old);
  const std::string alive = put(own_lock(false));
  const std::string elsewhere = put(lock_elsewhere(false));
  const std::string damaged = put(lock_elsewhere(true));
  files_.damage({FileType::kLock, damaged});
  EXPECT_EQ(value_of(remove_locks(*repository_, false, soon())), 2U);
  EXPECT_THAT(names(), UnorderedElementsAre(alive, elsewhere, damaged));
  EXPECT_EQ(value_of(remove_locks(*repository_, true, soon())), 3U);
  EXPECT_THAT(names(), IsEmpty());
}

}  // namespace
}  // namespace restree
