// A stack of work items, shared by a few threads until none is left. Doing an item may push more.
//
// Threads: any. Limits: none; last in, first out keeps the stack short if the work is a tree.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
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

  // Does work until all of it is done, including items that the work pushes, or until an item has
  // thrown an exception, on whichever thread.
  void run() {
    for (;;) {
      Work work;
      {
        auto state = state_.lock();
        changed_.wait(state.mutex_lock(),
                      [&] { return !state->stack.empty() || state->is_over(); });
        if (state->is_over()) return;
        work = std::move(state->stack.back());
        state->stack.pop_back();
      }
      try {
        work();
      } catch (...) {
        fail(std::current_exception());
        return;
      }
      work = nullptr;
      bool is_last = false;
      {
        auto state = state_.lock();
        is_last = --state->unfinished == 0;
      }
      if (is_last) changed_.notify_all();
    }
  }

  // Once no thread runs: throws what an item has thrown.
  void rethrow_failure() {
    if (const std::exception_ptr failure = state_.lock()->failure) std::rethrow_exception(failure);
  }

 private:
  struct State {
    std::vector<Work> stack;
    std::size_t unfinished = 0;
    std::exception_ptr failure;

    bool is_over() const { return unfinished == 0 || failure != nullptr; }
  };
  // The other threads must not wait for what nobody does any more.
  void fail(std::exception_ptr failure) {
    {
      auto state = state_.lock();
      if (state->failure == nullptr) state->failure = std::move(failure);
    }
    changed_.notify_all();
  }

  Guarded<State> state_;
  std::condition_variable changed_;
};

}  // namespace restree
