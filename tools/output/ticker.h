// Calls a function at a regular interval, from a thread of its own, until it is destroyed.
//
// Threads: `tick` is called by one thread at a time.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace restree {

class Ticker {
 public:
  // An interval of zero never ticks.
  Ticker(std::chrono::nanoseconds interval, std::function<void()> tick);
  ~Ticker();

 private:
  std::jthread thread_;
};

}  // namespace restree
