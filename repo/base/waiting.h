// Waiting for other threads until a Deadline, and sleeping until a program stops.
//
//   auto state = state_.lock();  // of a Guarded<State>
//   if (!wait_until(moved_, state, by, [&] { return state->is_there; })) return no_answer();
//
// Threads: any. Limits: each wait is made in steps of a day at most, so Deadline::never() is as good
// as any other deadline.
#pragma once

#include <condition_variable>
#include <future>
#include <stop_token>

#include "repo/base/clock.h"

namespace restree {

// Until `moved` is notified, or a moment between now and `by`: for callers that look again in any
// case. `state` is the handle of the Guarded state that `moved` belongs to; its lock is released
// meanwhile.
template <class Handle>
void wait_for_notice(std::condition_variable& moved, Handle& state, Deadline by) {
  moved.wait_until(state.mutex_lock(), Deadline::Clock::now() + by.remaining());
}

// Until `is_done()` is true; false if it still is not when `by` has come. `is_done` is called with
// the lock held, at least once, and never after it has returned true.
template <class Handle, class Predicate>
bool wait_until(std::condition_variable& moved, Handle& state, Deadline by, Predicate is_done) {
  while (!is_done()) {
    if (by.expired()) return false;
    wait_for_notice(moved, state, by);
  }
  return true;
}

// Until the future has its result; false if it still has none when `by` has come.
template <class Future>
bool wait_until(const Future& future, Deadline by) {
  while (future.wait_for(by.remaining()) == std::future_status::timeout) {
    if (by.expired()) return false;
  }
  return true;
}

// Sleeps until `when`, or until `stop` is requested; false if it was.
bool sleep_until(const std::stop_token& stop, Deadline::Clock::time_point when);
bool sleep_for(const std::stop_token& stop, Deadline::Clock::duration time);

}  // namespace restree
