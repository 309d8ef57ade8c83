// The processes that send requests to a mount, each distinguished from every earlier or later one.
//
// The kernel names the thread that asks. A process is the number of its first thread together with
// its start, so that a number which is used again is another process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/base/unique_fd.h"

namespace restree {

struct Process {
  pid_t id = 0;
  std::uint64_t started = 0;  // in ticks since the system started
  auto operator<=>(const Process&) const = default;
};

// Threads: any may call.
class Processes {
 public:
  virtual ~Processes() = default;
  // The process that `thread`, which waits for our answer, belongs to. nullopt: the process cannot
  // be seen from here, because it lives in another PID namespace (thread 0) or because /proc hides
  // it.
  virtual std::optional<Process> of_thread(pid_t thread) = 0;
  // False once the process has ended.
  virtual bool lives(const Process& process) = 0;
  // What `started` of a process will be that begins after this time.
  virtual std::uint64_t tick_in(std::chrono::seconds time) = 0;
};

// The processes of this system, as /proc shows them.
//
// A program that walks a tree asks thousands of times a second, and reading /proc costs more than
// the rest of an answer. So for the threads that asked last the result is kept, together with a
// descriptor of their process that shows when it has ended.
// Limits: kMostRecent descriptors.
class SystemProcesses final : public Processes {
 public:
  static constexpr std::size_t kMostRecent = 32;

  std::optional<Process> of_thread(pid_t thread) override;
  bool lives(const Process& process) override;
  std::uint64_t tick_in(std::chrono::seconds time) override;

 private:
  struct Recent {
    pid_t thread = 0;
    Process process;
    std::shared_ptr<const UniqueFd> alive;  // a pidfd of `process`
  };
  struct Recents {
    std::vector<Recent> all;
    std::size_t next = 0;  // the one that is replaced when there is no room
  };

  std::optional<Recent> recent(pid_t thread) const;
  void remember(Recent asked);

  Guarded<Recents> recents_;
};

}  // namespace restree
