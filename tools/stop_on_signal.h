// SIGINT and SIGTERM as a stop token.
#pragma once

#include <stop_token>
#include <thread>

namespace restree {

// The first signal requests `stop`; the second one ends the process where it is.
// Ownership: a thread. Threads: made before any other thread, so that no other gets the signals.
// SIGHUP and SIGPIPE are ignored for good: the first is how restic asks whether we still live.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::stop_source stop);

 private:
  std::jthread thread_;
};

}  // namespace restree
