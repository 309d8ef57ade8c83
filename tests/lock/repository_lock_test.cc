#include "repo/lock/repository_lock.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/storage/decorators/forwarding_storage.h"
#include "tests/lock/locking.h"

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
using testing::Locking;
using ::testing::SizeIs;
using testing::soon;
using ::testing::UnorderedElementsAre;
using testing::value_of;

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
  ASSERT_TRUE(file.place);
  EXPECT_EQ(file.place, this_machine().place);
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

// Not every SFTP server sends the sizes of the files that it lists.
TEST_F(Locking, IsRefusedAlsoWhereNoSizesAreListed) {
  class WithoutSizes final : public ForwardingStorage {
   public:
    using ForwardingStorage::ForwardingStorage;
    Result<std::vector<ListedFile>> list(FileType type, Deadline by) override {
      ASSIGN_OR_RETURN(std::vector<ListedFile> files, ForwardingStorage::list(type, by));
      for (ListedFile& file : files) file.size_bytes = 0;
      return files;
    }
  };
  const std::shared_ptr<Storage> inner(&files_.storage(), [](Storage*) {});
  repository_ = value_of(Repository::open(std::make_shared<WithoutSizes>(inner),
                                          Secret(std::string(testing::kPassword)), "", soon()));
  ASSERT_OK(inner->write({FileType::kLock, std::string(64, 'e')}, {}, soon()));
  EXPECT_OK(acquire(true));  // an empty file is not a lock
  put(lock_elsewhere(true));
  EXPECT_THAT(acquire(false), FailsWith(ErrorKind::kLocked));
}

TEST_F(Locking, NamesTheHolderOfTheConflictingLockAndItsTime) {
  LockFile other = lock_elsewhere(true);
  other.uid = 1000;
  other.gid = 100;
  const std::string name = put(other);
  const auto refused = acquire(false);
  ASSERT_THAT(refused, FailsWith(ErrorKind::kLocked));
  EXPECT_EQ(
      refused.error().message(),
      "unable to create lock in backend: repository is already locked exclusively by PID 4711 "
      "on elsewhere by bob (UID 1000, GID 100)");
  EXPECT_THAT(refused.error().hint(),
              ::testing::MatchesRegex("lock was created at [0-9]{4}-[0-9]{2}-[0-9]{2} "
                                      "[0-9]{2}:[0-9]{2}:[0-9]{2} "
                                      "\\(([0-9]+h)?([0-9]+m)?[0-9.]+(ns|\u00b5s|ms|s) ago\\)\n"
                                      "storage ID " +
                                      name.substr(0, 8) +
                                      "\nthe `unlock` command can be used to remove stale locks\n"
                                      ".*"));
}

TEST_F(Locking, ReplacesTheLockOfAProcessThatIsGone) {
  const LockFile dead = dead_lock(true);
  const std::string name = put(dead);
  const auto lock = value_of(acquire(false));
  EXPECT_THAT(names(), AllOf(SizeIs(1), ::testing::Not(Contains(name))));
  EXPECT_THAT(warned_,
              ElementsAre(HasSubstr("removed the stale lock of PID " + std::to_string(dead.pid))));
  EXPECT_TRUE(lock->found_leftovers());
}

TEST_F(Locking, IsRefusedHoweverOldALockLooksByTheClock) {
  LockFile old = lock_elsewhere(false);
  constexpr std::int64_t kDay = 86'400;
  old.time.seconds -= kDay;
  const std::string name = put(old);
  EXPECT_THAT(acquire(true), FailsWith(ErrorKind::kLocked)) << "the clocks may differ";
  EXPECT_THAT(names(), ElementsAre(name));
}

TEST_F(Locking, IsRefusedByAProcessThatAnotherPidNamespaceMayHave) {
  LockFile other = dead_lock(true);
  other.place->pid_namespace = "4:1";
  const std::string name = put(other);
  EXPECT_THAT(acquire(true), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(acquire(reading(false)), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(names(), ElementsAre(name));
}

TEST_F(Locking, IsRefusedByAProcessThatCannotBeLookedFor) {
  const std::string name = put(dead_lock(true));
  LockRequest blind = request(true);
  blind.machine.place = std::nullopt;
  EXPECT_THAT(acquire(blind), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(names(), ElementsAre(name));
}

TEST_F(Locking, IsRefusedByTheLockOfAResticThatIsNotHere) {
  LockFile restics = dead_lock(true);
  restics.place = std::nullopt;
  const std::string name = put(restics);
  EXPECT_THAT(acquire(true), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(names(), ElementsAre(name));
}

TEST_F(Locking, WritesNoPlaceWhereItIsNotKnown) {
  LockRequest blind = request(true);
  blind.machine.place = std::nullopt;
  const auto lock = value_of(acquire(blind));
  const Bytes json =
      value_of(repository_->load_unpacked({FileType::kLock, names().front()}, soon()));
  EXPECT_FALSE(value_of(parse_lock_file(json)).place);
}

TEST_F(Locking, LeavesADeadLockThatIsNotInTheWay) {
  const std::string dead = put(dead_lock(false));
  auto lock = value_of(acquire(false));
  EXPECT_THAT(names(), AllOf(SizeIs(2), Contains(dead)));
  EXPECT_TRUE(lock->found_leftovers());
  EXPECT_FALSE(lock->has_company());
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_THAT(warned_, IsEmpty());
  lock.reset();
  EXPECT_THAT(names(), ElementsAre(dead));
}

TEST_F(Locking, LeavesADeadLockWhileALivingOneIsInTheWay) {
  const std::string dead = put(dead_lock(false));
  const std::string living = put(lock_elsewhere(false));
  EXPECT_THAT(acquire(true), FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(names(), UnorderedElementsAre(dead, living));
}

TEST_F(Locking, ToReadPassesADeadLockAndLeavesIt) {
  for (const bool exclusive : {false, true}) {
    told_.clear();
    const std::string dead = put(dead_lock(true));
    auto lock = value_of(acquire(reading(exclusive)));
    EXPECT_THAT(names(), AllOf(SizeIs(2), Contains(dead)));
    EXPECT_THAT(told_, ElementsAre(HasSubstr("passed by the stale lock")));
    EXPECT_THAT(warned_, IsEmpty());
    lock.reset();
    remove(dead);
  }
}

TEST_F(Locking, ToReadGoesOnWithoutOneWhereNothingCanBeWritten) {
  files_.storage().watch_writes([](const FileName&) {
    return Error(ErrorKind::kDenied, "nas: create /srv/locks/1: permission denied");
  });
  for (const bool exclusive : {false, true}) {
    warned_.clear();
    EXPECT_EQ(value_of(acquire(reading(exclusive))), nullptr);
    EXPECT_THAT(warned_, ElementsAre(AllOf(HasSubstr("no lock can be written"),
                                           HasSubstr("/srv/locks/1: permission denied"))));
    EXPECT_THAT(names(), IsEmpty());
  }
  EXPECT_THAT(acquire(request(false)), FailsWith(ErrorKind::kDenied));
}

TEST_F(Locking, ToReadGoesOnWithoutOneWhereTheDiskIsFull) {
  files_.leave_free(0);
  EXPECT_EQ(value_of(acquire(reading(false))), nullptr);
  EXPECT_FALSE(acquire(request(false)).has_value());
}

TEST_F(Locking, ToReadNeedsOneWhereOthersExcludeIt) {
  const std::string others = put(lock_elsewhere(true));
  files_.leave_free(0);
  EXPECT_THAT(acquire(reading(false)), FailsWith(ErrorKind::kLocked));
}

// What is away may be back for the next file, and a prune be at work there.
TEST_F(Locking, ToReadFailsWhereTheStorageIsAway) {
  files_.storage().watch_writes(
      [](const FileName&) { return Error(ErrorKind::kUnavailable, "nas: connection reset"); });
  EXPECT_THAT(acquire(reading(false)), FailsWith(ErrorKind::kUnavailable));
}

TEST_F(Locking, ReplacesALockThatNobodyRefreshedWhileItWaited) {
  const std::string forgotten = put(lock_elsewhere(true));
  LockRequest patient = request(true);
  patient.retry_for = 1h;
  patient.times.stale = 20ms;
  const auto lock = value_of(acquire(patient));
  EXPECT_THAT(names(), AllOf(SizeIs(1), ::testing::Not(Contains(forgotten))));
  EXPECT_THAT(warned_, ElementsAre(HasSubstr("nobody has refreshed it")));
}

TEST_F(Locking, WaitsOnBesideALockThatIsRefreshed) {
  std::string other = put(lock_elsewhere(true));
  std::atomic<int> lists = 0;
  files_.storage().watch([&](const FileName& file) -> Status {
    if (file.type != FileType::kLock || !file.name.empty()) return {};
    ++lists;
    const std::string fresh = put(lock_elsewhere(true));
    remove(std::exchange(other, fresh));
    return {};
  });
  LockRequest patient = request(true);
  patient.retry_for = 100ms;
  patient.times.stale = 2ms;
  EXPECT_THAT(acquire(patient), FailsWith(ErrorKind::kLocked));
  files_.storage().watch({});
  EXPECT_THAT(names(), ElementsAre(other));
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

// It may be anybody's, or nobody's at all; data must come back all the same.
TEST_F(Locking, AReaderPassesByALockFileThatCannotBeRead) {
  const std::string name = put(lock_elsewhere(true));
  files_.damage({FileType::kLock, name});
  LockRequest reading = request(false);
  reading.reads_only = true;
  EXPECT_OK(acquire(reading));
  EXPECT_THAT(warned_, ElementsAre(HasSubstr("lock file " + name + " is passed by")));
}

TEST_F(Locking, IgnoresAnEmptyLockFile) {
  ASSERT_OK(files_.storage().write({FileType::kLock, std::string(64, 'a')}, {}, soon()));
  EXPECT_OK(acquire(true));
}

TEST_F(Locking, OfTwoThatBeginTogetherOneSeesTheOther) {
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

TEST_F(Locking, RemoveLocksRemovesLocksThatNobodyHolds) {
  put(dead_lock(false));
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
