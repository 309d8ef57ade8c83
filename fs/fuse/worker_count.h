// How many of a session's threads wait for a request: when another one is needed, and when there
// are enough.
//
// Threads: one at a time; the session's lock guards it.
#pragma once

#include <cstddef>

namespace restree {

class WorkerCount {
 public:
  // More than these need not wait, as each keeps memory for parsing.
  static constexpr std::size_t kMostWaiting = 12;

  // A thread was started; it waits for a request.
  void start() { ++waiting_; }
  // A thread has received a request. True: no thread waits any more, so another one is needed.
  bool begin_request() { return --waiting_ == 0; }
  // A thread has answered its request. True: it waits for the next one. False: enough threads wait
  // without it, and it must end. It is not counted from then on, however long it takes to end: if
  // it were, those that really wait could each believe that there are enough, and all of them end.
  bool wait_again() {
    if (waiting_ >= kMostWaiting) return false;
    ++waiting_;
    return true;
  }
  // A thread that waited ends, as the session does.
  void stop_waiting() { --waiting_; }

 private:
  std::size_t waiting_ = 0;
};

}  // namespace restree
