// Calls a function every so often, from a thread of its own, until it is destroyed.
//
// Threads: `tick` is called by one thread at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "tools/io.h"

namespace restree {

// How often progress is shown: on a terminal several times a second, as JSON every second, else
// not at all; RESTIC_PROGRESS_FPS says otherwise. Zero: never.
std::chrono::nanoseconds progress_interval(bool json, int verbosity, const Io& io);

class Ticker {
 public:
  // An interval of zero never ticks.
  Ticker(std::chrono::nanoseconds interval, std::function<void()> tick);
  ~Ticker();

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace restree
