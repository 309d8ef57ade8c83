// A place in the code where threads wait until a test lets them go on.
#pragma once

#include <condition_variable>
#include <cstddef>

#include "repo/base/guarded.h"

namespace restree::testing {

// Threads: any. A test that fails before it opens its gate hangs, and is ended by ctest.
class Gate {
 public:
  // Waits for the gate to be open.
  void pass() {
    auto state = state_.lock();
    ++state->arrived;
    changed_.notify_all();
    changed_.wait(state.mutex_lock(), [&] { return state->open; });
  }

  void wait_for_arrivals(std::size_t count) {
    auto state = state_.lock();
    changed_.wait(state.mutex_lock(), [&] { return state->arrived >= count; });
  }

  void open() {
    state_.lock()->open = true;
    changed_.notify_all();
  }

  std::size_t arrived() const { return state_.lock()->arrived; }

 private:
  struct State {
    std::size_t arrived = 0;
    bool open = false;
  };

  Guarded<State> state_;
  std::condition_variable changed_;
};

}  // namespace restree::testing
