// Calls a function at a regular interval, from a thread of its own, until it is destroyed.
//
// Threads: `tick` is called by one thread at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "tools/output/io.h"

namespace restree {

// The interval at which progress is shown: on a terminal several times a second, as JSON every
// second, otherwise never (zero). RESTIC_PROGRESS_FPS overrides it.
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
