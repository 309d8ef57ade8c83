// Calls into the kernel that may never return, such as a read from a file system whose server is
// away: each is made by a thread of its own, which its caller can leave behind.
//
//   const auto call = calls.begin<int>([fd] { return ::fsync(fd); });
//   if (!call->is_done_by(deadline, stop)) ...  // the thread still hangs in it
//   return call->answer();

// A call that is left behind may end much later, or with the process, so it must own all that it
// uses: nothing of its caller's by reference.
//
// Ownership: shares the threads' state with those that are left behind. The destructor waits for all
//            others.
// Threads:   any. One for each call that is under way, at most `most_threads`; those that have
//            nothing to do stay for the next calls.
// Limits:    a call that finds all threads hanging is begun when one of them comes back.
// Errors:    begin() throws std::system_error if no thread can be had, answer() what its call threw.
#pragma once

#include <cassert>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/waiting.h"

namespace restree {

class HangingCalls {
 public:
  explicit HangingCalls(std::size_t most_threads);
  ~HangingCalls();
  HangingCalls(const HangingCalls&) = delete;
  HangingCalls& operator=(const HangingCalls&) = delete;

  // A call that was begun. Any thread may wait for it.
  template <class Answer>
  class Call {
   public:
    // False if it still hangs when the deadline has come or `stop` is requested.
    bool is_done_by(Deadline by, const std::stop_token& stop = {}) {
      const std::stop_callback wake(stop, [this] {
        const auto state = state_.lock();
        changed_.notify_all();
      });
      auto state = state_.lock();
      const auto is_done = [&] { return state->answer || state->failure; };
      wait_until(changed_, state, by, [&] { return is_done() || stop.stop_requested(); });
      return is_done();
    }
    // Once, after is_done_by() was true.
    Answer answer() {
      auto handle = state_.lock();
      State& state = *handle;
      if (state.failure) std::rethrow_exception(state.failure);
      assert(state.answer);
      return std::move(*state.answer);
    }

   private:
    friend HangingCalls;
    void make(const std::function<Answer()>& call) {
      State made;
      try {
        made.answer = call();
      } catch (...) {
        made.failure = std::current_exception();
      }
      *state_.lock() = std::move(made);
      changed_.notify_all();
    }
    struct State {
      std::optional<Answer> answer;
      std::exception_ptr failure;
    };
    Guarded<State> state_;
    std::condition_variable changed_;
  };

  template <class Answer>
  std::shared_ptr<Call<Answer>> begin(std::function<Answer()> call) {
    auto begun = std::make_shared<Call<Answer>>();
    submit([begun, made = std::move(call)] { begun->make(made); });
    return begun;
  }

 private:
  struct Shared;
  void submit(std::function<void()> call);
  static void run(const std::shared_ptr<Shared>& shared);

  const std::shared_ptr<Shared> shared_;
};

}  // namespace restree
