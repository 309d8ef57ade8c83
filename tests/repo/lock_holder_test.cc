#include "repo/lock_holder.h"

#include <sys/wait.h>
#include <unistd.h>

#include "repo/identity.h"
#include "tests/support/locks.h"

namespace restree {
namespace {

using ::testing::HasSubstr;
using testing::lock_elsewhere;
using testing::number_of_a_dead_process;
using ::testing::Optional;

Timestamp ago(std::int64_t seconds) {
  Timestamp time = wall_clock_now();
  time.seconds -= seconds;
  return time;
}

TEST(WhyStale, OneOfThisProcessIsNot) {
  EXPECT_EQ(why_stale(own_lock(true), wall_clock_now()), std::nullopt);
}

TEST(WhyStale, OneOfAProcessThatIsGoneIs) {
  LockFile lock = own_lock(true);
  lock.pid = number_of_a_dead_process();
  EXPECT_THAT(why_stale(lock, wall_clock_now()), Optional(HasSubstr("no process")));
}

TEST(WhyStale, OneOfAProcessThatIsDeadAndNotBuriedIs) {
  LockFile lock = own_lock(true);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  lock.pid = static_cast<std::uint32_t>(child);
  EXPECT_THAT(why_stale(lock, wall_clock_now()), Optional(HasSubstr("no process")));
  ::waitpid(child, nullptr, 0);
}

TEST(WhyStale, OneOfAnEarlierProcessOfTheSameNumberIs) {
  LockFile lock = own_lock(true);
  lock.time = *process_start(lock.pid);
  EXPECT_EQ(why_stale(lock, wall_clock_now()), std::nullopt);
  lock.time.seconds -= 60;
  EXPECT_THAT(why_stale(lock, wall_clock_now()), Optional(HasSubstr("begun later")));
}

TEST(WhyStale, OneOfAnotherHostIsAfterHalfAnHour) {
  LockFile lock = lock_elsewhere(true);
  lock.time = ago(29 * 60);
  EXPECT_EQ(why_stale(lock, wall_clock_now()), std::nullopt);
  lock.time = ago(31 * 60);
  EXPECT_THAT(why_stale(lock, wall_clock_now()), Optional(HasSubstr("31 minutes")));
}

TEST(WhyStale, OneOfAClockThatRunsAheadIsNot) {
  LockFile lock = lock_elsewhere(true);
  lock.time = ago(-3600);
  EXPECT_EQ(why_stale(lock, wall_clock_now()), std::nullopt);
}

TEST(ProcessStart, OfThisOneIsNotInTheFuture) {
  const auto start = process_start(static_cast<std::uint32_t>(::getpid()));
  ASSERT_TRUE(start);
  EXPECT_LE(start->seconds, wall_clock_now().seconds + 1);
  EXPECT_GT(start->seconds, wall_clock_now().seconds - 24 * 3600);
}

}  // namespace
}  // namespace restree
