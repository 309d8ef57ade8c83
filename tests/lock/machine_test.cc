#include "repo/lock/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <string>

#include "repo/identity.h"
#include "tests/support/locks.h"

namespace restree {
namespace {

using testing::number_of_a_dead_process;

std::uint32_t own_pid() { return static_cast<std::uint32_t>(::getpid()); }

// Runs `check` in a child that first enters new namespaces; returns its result.
template <class Check>
bool is_true_in_a_child(int namespaces, const Check& check) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(namespaces) != 0) ::_exit(2);
    const pid_t inner = ::fork();  // a new PID namespace begins with the next child
    if (inner == 0) ::_exit(check() ? 0 : 1);
    int status = 0;
    ::waitpid(inner, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(ThisMachine, KnowsWhereThisProcessIs) {
  const Machine machine = this_machine();
  EXPECT_EQ(machine.hostname, host_name());
  EXPECT_EQ(machine.pid, own_pid());
  ASSERT_TRUE(machine.place);
  EXPECT_EQ(machine.place->boot_id.size(), 36U);
  EXPECT_THAT(machine.place->pid_namespace, ::testing::MatchesRegex("[0-9]+:[0-9]+"));
  EXPECT_GT(machine.place->start_ticks, 0U);
  EXPECT_EQ(machine.place, this_machine().place);
}

TEST(ThisMachine, SeesThisProcess) {
  const Machine machine = this_machine();
  const ProcessSight sight = machine.look_at(own_pid());
  EXPECT_FALSE(sight.is_gone);
  EXPECT_EQ(sight.start_ticks, machine.place->start_ticks);
  ASSERT_TRUE(sight.started);
  EXPECT_LE(sight.started->seconds, wall_clock_now().seconds + 1);
  constexpr std::int64_t kDay = 86'400;
  EXPECT_GT(sight.started->seconds, wall_clock_now().seconds - kDay);
}

TEST(ThisMachine, SeesThatAProcessIsGone) {
  EXPECT_TRUE(this_machine().look_at(number_of_a_dead_process()).is_gone);
}

TEST(ThisMachine, SeesThatAProcessHasEndedBeforeItIsWaitedFor) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(this_machine().look_at(static_cast<std::uint32_t>(child)).is_gone);
  ::waitpid(child, nullptr, 0);
}

TEST(ThisMachine, DoesNotReportImpossibleNumbersAsGone) {
  EXPECT_FALSE(this_machine().look_at(0).is_gone);
  EXPECT_FALSE(this_machine().look_at(std::numeric_limits<std::uint32_t>::max()).is_gone);
}

TEST(ThisMachine, SeesAProcessThatItMayNotSignal) {
  const auto parent = own_pid();
  EXPECT_TRUE(is_true_in_a_child(0, [&] {
    constexpr uid_t kNobody = 65534;
    if (::setuid(kNobody) != 0 || ::kill(static_cast<pid_t>(parent), 0) == 0) return false;
    return !this_machine().look_at(parent).is_gone;
  }));
}

TEST(ThisMachine, HasAnotherPlaceInAnotherPidNamespace) {
  const LockPlace outer = *this_machine().place;
  EXPECT_TRUE(is_true_in_a_child(CLONE_NEWPID | CLONE_NEWNS, [&] {
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("proc", "/proc", "proc", 0, nullptr) != 0) return false;
    const auto inner = this_machine().place;
    return inner && inner->boot_id == outer.boot_id && inner->machine == outer.machine &&
           inner->pid_namespace != outer.pid_namespace;
  }));
}

TEST(ThisMachine, HasNoPlaceWhereProcShowsAnotherPidNamespace) {
  EXPECT_TRUE(is_true_in_a_child(CLONE_NEWPID, [] { return !this_machine().place; }));
}

TEST(ThisMachine, HasNoPlaceWithoutProc) {
  EXPECT_TRUE(is_true_in_a_child(CLONE_NEWNS, [] {
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return false;
    return !this_machine().place && !this_machine().look_at(own_pid()).is_gone;
  }));
}

TEST(ThisMachine, TakesAHiddenProcessForAlive) {
  const auto parent = own_pid();
  EXPECT_TRUE(is_true_in_a_child(CLONE_NEWNS, [&] {
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("proc", "/proc", "proc", 0, "hidepid=2") != 0) return false;
    constexpr uid_t kNobody = 65534;
    if (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) return false;
    if (::access(("/proc/" + std::to_string(parent)).c_str(), F_OK) == 0) return false;
    const Machine machine = this_machine();
    return machine.place && !machine.look_at(parent).is_gone &&
           machine.look_at(std::numeric_limits<pid_t>::max()).is_gone;
  }));
}

}  // namespace
}  // namespace restree
