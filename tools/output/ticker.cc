#include "tools/output/ticker.h"

#include <algorithm>
#include <utility>

namespace restree {

Ticker::Ticker(std::chrono::nanoseconds interval, std::function<void()> tick) {
  if (interval.count() == 0) return;
  thread_ = std::jthread([this, interval, tick = std::move(tick)](const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    for (auto next = std::chrono::steady_clock::now() + interval; !stop.stop_requested();
         next = std::max(next + interval, std::chrono::steady_clock::now())) {
      wake_.wait_until(lock, stop, next, [] { return false; });
      if (!stop.stop_requested()) tick();
    }
  });
}

Ticker::~Ticker() = default;

}  // namespace restree
