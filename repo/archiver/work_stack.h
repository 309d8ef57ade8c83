// A stack of work items, shared by a few threads until none is left. Doing an item may push more.
//
// Threads: any. Limits: none; last in, first out keeps the stack short if the work is a tree.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"

namespace restree {

class WorkStack {
 public:
  using Work = std::function<void()>;

  void push(Work work) {
    {
      auto state = state_.lock();
      state->stack.push_back(std::move(work));
      ++state->unfinished;
    }
    changed_.notify_one();
  }

  // Does work until all of it is done, including items that the work pushes.
  void run() {
    for (;;) {
      Work work;
      {
        auto state = state_.lock();
        changed_.wait(state.mutex_lock(),
                      [&] { return !state->stack.empty() || state->unfinished == 0; });
        if (state->stack.empty()) return;
        work = std::move(state->stack.back());
        state->stack.pop_back();
      }
      work();
      work = nullptr;
      bool is_last = false;
      {
        auto state = state_.lock();
        is_last = --state->unfinished == 0;
      }
      if (is_last) changed_.notify_all();
    }
  }

 private:
  struct State {
    std::vector<Work> stack;
    std::size_t unfinished = 0;
  };
  Guarded<State> state_;
  std::condition_variable changed_;
};

}  // namespace restree
