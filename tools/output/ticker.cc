#include "tools/output/ticker.h"

#include <algorithm>
#include <utility>

#include "repo/base/waiting.h"

namespace restree {

Ticker::Ticker(std::chrono::nanoseconds interval, std::function<void()> tick) {
  if (interval.count() == 0) return;
  thread_ = std::jthread([interval, tick = std::move(tick)](const std::stop_token& stop) {
    auto next = Deadline::Clock::now() + interval;
    for (; sleep_until(stop, next); next = std::max(next + interval, Deadline::Clock::now()))
      tick();
  });
}

Ticker::~Ticker() = default;

}  // namespace restree
