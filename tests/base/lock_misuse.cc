// What clang must refuse to compile, each behind a name that a test defines, and what it must let
// pass. Tests have this file read and checked; no program contains it.
#include <string>
#include <vector>

#include "repo/base/guarded.h"

namespace restree {
namespace {

struct State {
  std::string name;
  int count = 0;
};

class Subject {
 public:
  std::string right_use() {
    {
      auto state = state_.lock();
      add_to(*state);
    }
    note("added");
    state_.lock()->name = "subject";
    if (auto state = state_.lock(); state->count > 1) return state->name;
    const MutexLock lock(noting_);
    return last_note_ + state_.lock()->name;
  }

  void misuse() {
#if defined(LOCKED_TWICE)
    auto state = state_.lock();
    auto again = state_.lock();
    state->count += again->count;
#elif defined(LOCKED_TWICE_IN_ONE_EXPRESSION)
    state_.lock()->count = state_.lock()->count + 1;
#elif defined(MUTEX_LOCKED_TWICE)
    const MutexLock lock(noting_);
    const MutexLock again(noting_);
#elif defined(REFERENCE_WITHOUT_THE_HANDLE)
    const State& state = *state_.lock();
    const int count = state.count;
    add_to_count(count);
#elif defined(LOOP_WITHOUT_THE_HANDLE)
    for (const int number : *numbers_.lock()) add_to_count(number);
#elif defined(MEMBER_WITHOUT_ITS_LOCK)
    last_note_ = "unseen";
#elif defined(CALL_WITHOUT_THE_LOCK)
    State other;
    add_to(other);
#elif defined(CALL_WITH_THE_LOCK)
    auto state = state_.lock();
    state->count = 1;
    lock_and_add();
#endif
  }

 private:
  void add_to(State& state) REQUIRES(state_) { state.count += step_; }
  void lock_and_add() EXCLUDES(state_) { add_to(*state_.lock()); }
  void add_to_count(int number) { state_.lock()->count += number; }
  void note(const std::string& text) EXCLUDES(noting_) {
    const MutexLock lock(noting_);
    last_note_ = text;
  }

  const int step_ = 1;
  Guarded<State> state_;
  Guarded<std::vector<int>> numbers_;
  Mutex noting_;
  std::string last_note_ GUARDED_BY(noting_);
};

}  // namespace

std::string use_subject() {
  Subject subject;
  subject.misuse();
  return subject.right_use();
}

}  // namespace restree
