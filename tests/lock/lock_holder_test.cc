#include "repo/lock/lock_holder.h"

#include "repo/identity.h"
#include "tests/support/locks.h"
#include "tests/support/machines.h"

namespace restree {
namespace {

using ::testing::HasSubstr;
using testing::lock_elsewhere;
using testing::MadeUpMachine;
using ::testing::Optional;
using testing::seconds_ago;

constexpr std::int64_t kMinute = 60;  // seconds
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::uint32_t kHolder = 17;
constexpr std::uint32_t kWatcher = 40;

// A lock of process 17 and a watcher on the same machine, both in the first PID namespace.
class Holder : public ::testing::Test {
 protected:
  Holder() { machine_.processes[kHolder] = {.start_ticks = 100}; }
  std::optional<std::string> dead() const {
    return why_dead(lock_, machine_.seen_by(kWatcher), wall_clock_now());
  }
  std::optional<std::string> stale() const {
    return why_stale(lock_, machine_.seen_by(kWatcher), wall_clock_now());
  }

  MadeUpMachine machine_;
  LockFile lock_ = own_lock(true, machine_.seen_by(kHolder));
};

TEST_F(Holder, LivesWhileItsProcessIsThere) {
  EXPECT_EQ(dead(), std::nullopt);
  EXPECT_EQ(stale(), std::nullopt);
}

TEST_F(Holder, IsDeadWhenItsProcessIsGone) {
  machine_.processes.clear();
  EXPECT_THAT(dead(), Optional(HasSubstr("no process 17")));
  EXPECT_THAT(stale(), Optional(HasSubstr("no process 17")));
}

TEST_F(Holder, IsDeadWhenItsNumberBelongsToAnother) {
  machine_.processes[kHolder].start_ticks = 101;
  EXPECT_THAT(dead(), Optional(HasSubstr("begun later")));
  EXPECT_THAT(stale(), Optional(HasSubstr("begun later")));
}

TEST_F(Holder, MayLiveWhenItIsNotKnownSinceWhenItsProcessIsThere) {
  machine_.processes[kHolder].start_ticks = std::nullopt;
  EXPECT_EQ(dead(), std::nullopt);
}

TEST_F(Holder, MayLiveWhenTheTicksAreThoseOfAnotherTimeNamespace) {
  machine_.processes[kHolder].start_ticks = 101;
  machine_.place.time_namespace = "4:4026532000";
  EXPECT_EQ(dead(), std::nullopt);
}

TEST_F(Holder, MayLiveInAnotherPidNamespace) {
  machine_.processes.clear();
  machine_.place.pid_namespace = "4:4026532001";
  EXPECT_EQ(dead(), std::nullopt);
  EXPECT_EQ(stale(), std::nullopt) << "`unlock` knows as much";
}

TEST_F(Holder, MayLiveOnAnotherHost) {
  machine_.processes.clear();
  lock_.hostname = "there";
  EXPECT_EQ(dead(), std::nullopt);
  EXPECT_EQ(stale(), std::nullopt);
}

TEST_F(Holder, MayLiveWhenItHasNoHostName) {
  machine_.processes.clear();
  lock_.hostname = "";
  EXPECT_EQ(dead(), std::nullopt);
}

TEST_F(Holder, MayLiveWhenThisProcessDoesNotKnowWhereItIs) {
  machine_.processes.clear();
  Machine blind = machine_.seen_by(kWatcher);
  blind.place = std::nullopt;
  EXPECT_EQ(why_dead(lock_, blind, wall_clock_now()), std::nullopt);
  EXPECT_EQ(why_stale(lock_, blind, wall_clock_now()), std::nullopt);
}

TEST_F(Holder, MayLiveWhenItsPlaceIsIncomplete) {
  machine_.processes.clear();
  lock_.place->pid_namespace = "";
  EXPECT_EQ(dead(), std::nullopt);
  lock_ = own_lock(true, machine_.seen_by(kHolder));
  lock_.place->boot_id = "";
  EXPECT_EQ(dead(), std::nullopt);
}

TEST_F(Holder, MayLiveHoweverOldItsLockIsByTheClock) {
  lock_.time = seconds_ago(31 * kMinute);
  EXPECT_EQ(dead(), std::nullopt);
  EXPECT_THAT(stale(), Optional(HasSubstr("31 minutes"))) << "restic's rule, for `unlock`";
}

// A lock of the same machine before it was started again, or of one that looks like it.
class HolderBeforeARestart : public Holder {
 protected:
  HolderBeforeARestart() {
    machine_.place.boot_id = "boot 2";
    lock_.time = seconds_ago(31 * kMinute);
  }
};

TEST_F(HolderBeforeARestart, IsDeadOnceItsLockIsOld) {
  EXPECT_THAT(dead(), Optional(HasSubstr("restarted")));
  lock_.time = seconds_ago(29 * kMinute);
  EXPECT_EQ(dead(), std::nullopt) << "the copy of a virtual machine has the same names";
}

TEST_F(HolderBeforeARestart, MayLiveOnAnotherMachineOfTheSameName) {
  machine_.place.machine = "machine 2";
  EXPECT_EQ(dead(), std::nullopt);
}

TEST_F(HolderBeforeARestart, MayLiveWhereMachinesHaveNoNames) {
  machine_.place.machine = "";
  lock_.place->machine = "";
  EXPECT_EQ(dead(), std::nullopt);
}

TEST_F(HolderBeforeARestart, MayLiveInAContainer) {
  lock_.place->pid_namespace = "4:4026532001";
  EXPECT_EQ(dead(), std::nullopt);
  lock_.place->pid_namespace = testing::kFirstNamespace;
  machine_.place.pid_namespace = "4:4026532001";
  EXPECT_EQ(dead(), std::nullopt);
}

// restic's locks do not say where their processes run.
class ResticsHolder : public Holder {
 protected:
  ResticsHolder() { lock_.place = std::nullopt; }
};

TEST_F(ResticsHolder, MayLiveWhileAnyProcessHasItsNumber) {
  EXPECT_EQ(dead(), std::nullopt);
  machine_.processes[kHolder].start_ticks = 101;
  EXPECT_EQ(dead(), std::nullopt);
  machine_.processes.clear();
  EXPECT_EQ(dead(), std::nullopt);
  lock_.time = seconds_ago(24 * kHour);
  EXPECT_EQ(dead(), std::nullopt);
}

TEST_F(ResticsHolder, IsStaleWhenItsProcessIsGone) {
  EXPECT_EQ(stale(), std::nullopt);
  machine_.processes.clear();
  EXPECT_THAT(stale(), Optional(HasSubstr("no process 17")));
}

TEST_F(ResticsHolder, IsStaleWhenItsProcessHasBegunLater) {
  lock_.time = seconds_ago(60);
  machine_.processes[kHolder].started = seconds_ago(60);
  EXPECT_EQ(stale(), std::nullopt);
  machine_.processes[kHolder].started = seconds_ago(30);
  EXPECT_THAT(stale(), Optional(HasSubstr("begun later")));
}

TEST_F(ResticsHolder, OnAnotherHostIsStaleAfterHalfAnHour) {
  lock_ = lock_elsewhere(true);
  lock_.place = std::nullopt;
  lock_.time = seconds_ago(29 * kMinute);
  EXPECT_EQ(stale(), std::nullopt);
  lock_.time = seconds_ago(31 * kMinute);
  EXPECT_THAT(stale(), Optional(HasSubstr("31 minutes")));
}

TEST_F(ResticsHolder, WhoseClockRunsAheadIsNotStale) {
  lock_.time = seconds_ago(-3600);
  EXPECT_EQ(stale(), std::nullopt);
}

}  // namespace
}  // namespace restree
