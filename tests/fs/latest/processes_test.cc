// Real processes and threads, as /proc shows them.
#include "fs/latest/processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <limits>
#include <thread>
#include <vector>

#include "repo/base/guarded.h"
#include "tests/support/process.h"

namespace restree {
namespace {

// A child process that waits to be killed. `wanted`: the number that it gets, 0 for any.
class Child {
 public:
  explicit Child(pid_t wanted = 0) {
    id_ = wanted == 0 ? ::fork() : fork_as(wanted);
    if (id_ == 0) {
      for (;;) ::pause();
    }
    error_ = id_ < 0 ? errno : 0;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  pid_t id() const { return id_; }
  int error() const { return error_; }
  void end() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
    id_ = -1;
  }

 private:
  static pid_t fork_as(pid_t wanted) {
    clone_args how{};
    how.exit_signal = SIGCHLD;
    how.set_tid = reinterpret_cast<std::uintptr_t>(&wanted);
    how.set_tid_size = 1;
    return static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
  }

  pid_t id_;
  int error_;
};

// Threads that wait until they are let go, and their numbers.
class WaitingThreads {
 public:
  explicit WaitingThreads(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this] {
        auto state = state_.lock();
        state->ids.push_back(::gettid());
        changed_.notify_all();
        changed_.wait(state.mutex_lock(), [&] { return state->done; });
      });
    }
    auto state = state_.lock();
    changed_.wait(state.mutex_lock(), [&] { return state->ids.size() == count; });
  }
  ~WaitingThreads() {
    state_.lock()->done = true;
    changed_.notify_all();
  }
  std::vector<pid_t> ids() const { return state_.lock()->ids; }

 private:
  struct State {
    std::vector<pid_t> ids;
    bool done = false;
  };

  Guarded<State> state_;
  std::condition_variable changed_;
  std::vector<std::jthread> threads_;  // last: they use what is above
};

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(SystemProcesses, KnowTheProcessOfEachOfItsThreads) {
  SystemProcesses processes;
  const auto self = processes.of_thread(::getpid());
  ASSERT_TRUE(self.has_value());
  EXPECT_EQ(self->id, ::getpid());
  const WaitingThreads threads(3);
  for (const pid_t thread : threads.ids()) {
    EXPECT_NE(thread, ::getpid());
    EXPECT_EQ(processes.of_thread(thread), self);
    EXPECT_EQ(processes.of_thread(thread), self) << "the second time";
  }
}

TEST(SystemProcesses, TellAChildFromItsParent) {
  SystemProcesses processes;
  const Child child;
  const auto seen = processes.of_thread(child.id());
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->id, child.id());
  EXPECT_NE(seen, processes.of_thread(::getpid()));
  EXPECT_EQ(processes.of_thread(child.id()), seen) << "the second time";
}

TEST(SystemProcesses, KnowWhichProcessHasEnded) {
  SystemProcesses processes;
  Child child;
  const auto seen = processes.of_thread(child.id());
  ASSERT_TRUE(seen.has_value());
  EXPECT_TRUE(processes.lives(*seen));
  child.end();
  EXPECT_FALSE(processes.lives(*seen));
  EXPECT_NE(processes.of_thread(seen->id), seen);
}

TEST(SystemProcesses, TakeANumberThatIsUsedAgainForAnotherProcess) {
  SystemProcesses processes;
  Child first;
  const auto before = processes.of_thread(first.id());
  ASSERT_TRUE(before.has_value());
  first.end();
  // Starts are counted in ticks, of which one may have to pass first.
  std::optional<Process> after;
  const bool differs = testing::holds_within(std::chrono::seconds(60), [&] {
    const Child second(before->id);
    if (second.error() == EPERM || second.error() == ENOSYS) return true;
    if (second.id() != before->id) return false;
    after = processes.of_thread(second.id());
    return after != before;
  });
  if (differs && !after) GTEST_SKIP() << "needs leave to choose a process's number";
  ASSERT_TRUE(differs);
  EXPECT_EQ(after->id, before->id);
  EXPECT_GT(after->started, before->started);
  EXPECT_FALSE(processes.lives(*before));
}

TEST(SystemProcesses, TellWhetherAProcessBeganBeforeATime) {
  SystemProcesses processes;
  const auto here = processes.of_thread(::getpid());
  ASSERT_TRUE(here.has_value());
  EXPECT_LE(here->started, processes.tick_in(std::chrono::seconds(0)));
  const auto second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t before = processes.tick_in(std::chrono::seconds(0));
  const std::uint64_t later = processes.tick_in(std::chrono::seconds(100));
  EXPECT_GE(later, before + 100 * second);
  EXPECT_LE(later, processes.tick_in(std::chrono::seconds(100)));
}

TEST(SystemProcesses, ReadTheStartBehindAnyName) {
  std::array<char, 16> name{};
  ASSERT_EQ(::prctl(PR_GET_NAME, name.data()), 0);
  const auto before = SystemProcesses().of_thread(::getpid());
  ASSERT_TRUE(before.has_value());
  ASSERT_EQ(::prctl(PR_SET_NAME, "a) S 1 (b) 2 3"), 0);
  EXPECT_EQ(SystemProcesses().of_thread(::getpid()), before);
  ::prctl(PR_SET_NAME, name.data());
}

TEST(SystemProcesses, DoNotSeeAProcessThatDoesNotExist) {
  SystemProcesses processes;
  EXPECT_EQ(processes.of_thread(0), std::nullopt);
  EXPECT_EQ(processes.of_thread(-1), std::nullopt);
  EXPECT_EQ(processes.of_thread(std::numeric_limits<pid_t>::max()), std::nullopt);
  EXPECT_FALSE(processes.lives({std::numeric_limits<pid_t>::max(), 1}));
}

TEST(SystemProcesses, HoldFewDescriptors) {
  const std::size_t before = open_descriptors();
  {
    SystemProcesses processes;
    const WaitingThreads threads(3 * SystemProcesses::kMostRecent);
    for (int i = 0; i < 3; ++i) {
      for (const pid_t thread : threads.ids()) {
        EXPECT_EQ(processes.of_thread(thread).value_or(Process{}).id, ::getpid());
      }
    }
    EXPECT_LE(open_descriptors(), before + SystemProcesses::kMostRecent);
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace restree
