// Turns SIGINT and SIGTERM into a request to stop, and SIGUSR1 into one to show the progress.
#pragma once

#include <stop_token>

#include "program/signals.h"

namespace restree {

// The first signal requests `stop`; the next one ends the process at once. So does the first one if
// a stop was requested otherwise, while the terminal is being asked for a password, or while a key is
// derived that opens the first repository (see repo/crypto/derivation.h).
// Ownership: a SignalWatch. Threads: must be made before any other thread. SIGHUP and SIGPIPE are
// ignored from then on; restic sends SIGHUP to check whether a process is still alive.
class StopOnSignal {
 public:
  explicit StopOnSignal(std::stop_source stop);

 private:
  SignalWatch watch_;
};

}  // namespace restree
