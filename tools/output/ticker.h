// Calls a function at a regular interval, and whenever the user asks for it, from a thread of its
// own, until it is destroyed.
//
// Threads: `tick` is called by one thread at a time. Without a thread to be had it is never called.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace restree {

class Ticker {
 public:
  // With an interval of zero it ticks only at tick_now().
  Ticker(std::chrono::nanoseconds interval, std::function<void()> tick);
  ~Ticker();

  // Lets all tickers of the process tick once. Threads: any, but not a signal handler.
  static void tick_now();

 private:
  std::jthread thread_;
};

}  // namespace restree
