// Processes that a test begins and ends as it likes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "fs/latest/processes.h"
#include "repo/base/guarded.h"

namespace restree::testing {

// Threads: any.
class FakeProcesses final : public Processes {
 public:
  // A process begins, with its first thread; its number may have been another's before.
  void begin(pid_t id) {
    auto state = state_.lock();
    state->by_thread[id] = {id, ++state->begun};
  }
  void begin_thread(pid_t thread, pid_t process) {
    auto state = state_.lock();
    state->by_thread[thread] = state->by_thread.at(process);
  }
  void end(pid_t id) {
    auto state = state_.lock();
    std::erase_if(state->by_thread, [&](const auto& thread) { return thread.second.id == id; });
  }

  std::optional<restree::Process> of_thread(pid_t thread) override {
    auto state = state_.lock();
    const auto found = state->by_thread.find(thread);
    if (found == state->by_thread.end()) return std::nullopt;
    return found->second;
  }
  bool lives(const restree::Process& process) override { return of_thread(process.id) == process; }
  // Processes begin one tick after the other, and none as long as nobody says so.
  std::uint64_t tick_in(std::chrono::seconds /*time*/) override { return state_.lock()->begun; }

 private:
  struct State {
    std::map<pid_t, restree::Process> by_thread;
    std::uint64_t begun = 0;
  };
  Guarded<State> state_;
};

}  // namespace restree::testing
