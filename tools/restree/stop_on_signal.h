// Turns SIGINT and SIGTERM into a request to stop.
#pragma once

#include <stop_token>
#include <thread>

namespace restree {

// The first signal requests `stop`; the second one ends the process at once.
// Ownership: a thread. Threads: must be made before any other thread, so that none of them receives
// the signals. SIGHUP and SIGPIPE are ignored from then on; restic sends SIGHUP to check whether a
// process is still alive.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::stop_source stop);

 private:
  std::jthread thread_;
};

}  // namespace restree
