// Other programs, run without a shell: what they printed and how they ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/unique_fd.h"

namespace restree::testing {

struct Command {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  // How its environment differs from ours; nullopt removes a variable.
  std::vector<std::pair<std::string, std::optional<std::string>>> env = {};
  std::string input = {};  // all of stdin
  std::filesystem::path folder = {};
  std::chrono::seconds timeout{300};
};

struct Finished {
  int exit_code = -1;  // 128 + signal, if a signal ended it
  bool timed_out = false;
  std::string out;
  std::string err;

  bool ok() const { return exit_code == 0 && !timed_out; }
  // For messages: how it ended, and all it printed.
  std::string report() const;
};

// A running program.
// Ownership: the child; unless wait() was called, the destructor kills its group and reaps it.
class Process {
 public:
  // Throws std::system_error if it cannot be started.
  static Process start(const Command& command);
  Process(Process&&) noexcept = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process& operator=(Process&&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running() const;
  void signal(int number) const;
  // Waits until it ends, or kills its process group after `timeout`. Call it once.
  Finished wait(std::chrono::milliseconds timeout);

 private:
  Process(pid_t pid, UniqueFd pidfd, UniqueFd out, UniqueFd err);

  pid_t pid_;
  UniqueFd pidfd_;
  UniqueFd out_;
  UniqueFd err_;
};

Finished run(const Command& command);
// As run(), but returns stdout; throws std::runtime_error with the report if it failed.
std::string run_ok(const Command& command);

// True once `condition` holds, false if it does not within `timeout`. Looks every few milliseconds.
template <class Condition>
bool holds_within(std::chrono::milliseconds timeout, Condition condition);

// One pause of holds_within.
void pause_between_looks();

template <class Condition>
bool holds_within(std::chrono::milliseconds timeout, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return condition();
    pause_between_looks();
  }
  return true;
}

}  // namespace restree::testing
