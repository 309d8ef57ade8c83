#include "repo/system/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <thread>

#include "tests/support/emulator.h"
#include "tests/support/matchers.h"
#include "tests/support/refused_calls.h"

namespace restree {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::value_of;

constexpr std::chrono::minutes kLong{1};

ChildProcess started(const std::string& script) {
  return value_of(ChildProcess::start({"sh", "-c", script}, {}));
}

std::string ending_of(const std::string& script) {
  const auto ending = started(script).ending(kLong);
  return ending ? ending->words() : "it has not ended";
}

Deadline in_a_minute() { return Deadline::after(kLong); }

// Runs `body` as on a kernel that answers pidfd_open(2) with `error`.
template <class Body>
void without_pidfd(int error, Body body) {
  std::thread([&] {
    testing::refuse_calls({SYS_pidfd_open}, error);
    body();
  }).join();
}

TEST(ChildProcess, SaysHowItEnded) {
  EXPECT_EQ(ending_of("exit 0"), "ended with exit status 0");
  EXPECT_EQ(ending_of("exit 7"), "ended with exit status 7");
  EXPECT_EQ(ending_of("kill -KILL $$"), "was ended by SIGKILL");
}

TEST(ChildProcess, OnlyExitStatusZeroIsASuccess) {
  EXPECT_TRUE(value_of(ChildProcess::start({"true"}, {})).ending(kLong)->is_success());
  EXPECT_FALSE(value_of(ChildProcess::start({"false"}, {})).ending(kLong)->is_success());
  EXPECT_FALSE(started("kill -TERM $$").ending(kLong)->is_success());
}

TEST(ChildProcess, HasNotEndedWhileItRuns) {
  ChildProcess child = value_of(ChildProcess::start({"sleep", "1000"}, {}));
  EXPECT_FALSE(child.ended(std::chrono::milliseconds(1)));
  EXPECT_FALSE(child.ending(std::chrono::milliseconds(1)).has_value());
}

TEST(ChildProcess, EndIsNoticedWherePidfdIsNotThere) {
  SKIP_UNDER_QEMU("filters of system calls");
  for (const int error : {ENOSYS, EPERM}) {
    without_pidfd(error, [] {
      EXPECT_EQ(ending_of("exit 5"), "ended with exit status 5");
      ChildProcess running = value_of(ChildProcess::start({"sleep", "1000"}, {}));
      EXPECT_FALSE(running.ended(std::chrono::milliseconds(1)));
      EXPECT_EQ(value_of(output_of({"echo", "word"}, in_a_minute())), "word\n");
      EXPECT_EQ(value_of(output_of_asking({"echo", "word"}, in_a_minute())), "word\n");
    });
  }
}

TEST(OutputOf, FailureNamesTheEndAndTheLastWords) {
  const auto said = output_of({"sh", "-c", "echo half; echo why >&2; exit 9"}, in_a_minute());
  ASSERT_THAT(said, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(said.error().message(), AllOf(HasSubstr("exit status 9"), HasSubstr("why")));
}

TEST(OutputOf, NothingPrintedIsAFailure) {
  const auto said = output_of({"true"}, in_a_minute());
  ASSERT_THAT(said, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(said.error().message(), HasSubstr("printed nothing"));
}

TEST(OutputOf, EndByCtrlCIsACancellation) {
  EXPECT_THAT(output_of({"sh", "-c", "kill -INT $$"}, in_a_minute()),
              FailsWith(ErrorKind::kCancelled));
}

}  // namespace
}  // namespace restree
