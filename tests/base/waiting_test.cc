#include "repo/base/waiting.h"

#include <gtest/gtest.h>

#include <thread>

#include "repo/base/guarded.h"

namespace restree {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// Long past what any step of these tests takes: it only ends a test that fails.
Deadline generous() { return Deadline::after(std::chrono::minutes(1)); }

struct Door {
  Guarded<bool> is_open{false};
  std::condition_variable moved;

  void open() {
    *is_open.lock() = true;
    moved.notify_all();
  }
  bool wait(Deadline by) {
    auto state = is_open.lock();
    return wait_until(moved, state, by, [&] { return *state; });
  }
};

TEST(WaitUntil, EndsOnceTheConditionHolds) {
  Door door;
  const std::jthread opener([&] { door.open(); });
  EXPECT_TRUE(door.wait(generous()));
}

TEST(WaitUntil, TakesADeadlineThatNeverComes) {
  Door door;
  const std::jthread opener([&] { door.open(); });
  EXPECT_TRUE(door.wait(Deadline::never()));
}

TEST(WaitUntil, EndsAtTheDeadlineIfTheConditionDoesNotHold) {
  Door door;
  const Deadline by = Deadline::after(milliseconds(1));
  EXPECT_FALSE(door.wait(by));
  EXPECT_TRUE(by.expired());
}

TEST(WaitUntil, LooksAtTheConditionEvenAfterTheDeadline) {
  Door door;
  const Deadline past = Deadline::after(-hours(1));
  EXPECT_FALSE(door.wait(past));
  door.open();
  EXPECT_TRUE(door.wait(past));
}

TEST(WaitUntil, EndsOnceAFutureHasItsResult) {
  std::promise<int> promise;
  const std::future<int> future = promise.get_future();
  EXPECT_FALSE(wait_until(future, Deadline::after(milliseconds(1))));
  const std::jthread worker([&] { promise.set_value(1); });
  EXPECT_TRUE(wait_until(future, Deadline::never()));
  EXPECT_TRUE(wait_until(future, Deadline::after(-hours(1))));
}

TEST(InterruptibleSleep, LastsUntilItsTime) {
  const std::stop_source stop;
  const auto when = Deadline::Clock::now() + milliseconds(1);
  EXPECT_TRUE(sleep_until(stop.get_token(), when));
  EXPECT_GE(Deadline::Clock::now(), when);
  EXPECT_TRUE(sleep_for(stop.get_token(), milliseconds(0)));
  EXPECT_TRUE(sleep_for({}, -hours(1)));
}

TEST(InterruptibleSleep, EndsWhenItIsStopped) {
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_FALSE(sleep_for(stop.get_token(), hours(1)));
  EXPECT_FALSE(sleep_for(stop.get_token(), hours(1))) << "it was stopped before it began";
}

}  // namespace
}  // namespace restree
