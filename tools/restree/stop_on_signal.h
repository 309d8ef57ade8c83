// Turns SIGINT and SIGTERM into a request to stop, and SIGUSR1 into one to show the progress.
#pragma once

#include <chrono>
#include <stop_token>

#include "program/signals.h"

namespace restree {

// The first signal requests `stop`; the next one ends the process at once, unless it has a lock on a
// repository: then the process has `patience` to end in good order, and only then is the lock removed and
// the process ended. A signal often comes several times: from a terminal to a whole group of processes
// and again from one of them, or from a person who is in a hurry.
// The first signal does what the next one would if a stop was requested otherwise. It ends the process
// while the terminal is being asked for a password, or while a key is derived that opens the first
// repository (see repo/crypto/derivation.h).
// Ownership: a SignalWatch. Threads: must be made before any other thread. SIGHUP and SIGPIPE are
// ignored from then on; restic sends SIGHUP to check whether a process is still alive.
class StopOnSignal {
 public:
  static constexpr std::chrono::seconds kPatience{5};

  explicit StopOnSignal(std::stop_source stop, std::chrono::milliseconds patience = kPatience);

 private:
  SignalWatch watch_;
};

}  // namespace restree
