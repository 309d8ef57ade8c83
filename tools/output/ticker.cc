#include "tools/output/ticker.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <system_error>
#include <utility>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"
#include "repo/base/log.h"

namespace restree {
namespace {

// How often all tickers of the process were asked to tick at once.
struct Requests {
  Guarded<std::uint64_t> count;
  std::condition_variable_any changed;
};
Requests& requests() {
  static Requests all;
  return all;
}

// Also ticks for requests that were made before the thread runs, but not for those before `seen`.
void tick_on(std::chrono::nanoseconds interval, const std::function<void()>& tick,
             std::uint64_t seen, const std::stop_token& stop) {
  using Clock = Deadline::Clock;
  Requests& all = requests();
  const bool is_regular = interval.count() != 0;
  auto next = Clock::now() + interval;
  while (true) {
    {
      auto count = all.count.lock();
      const auto is_asked = [&] { return *count != seen; };
      if (is_regular) {
        all.changed.wait_until(count.mutex_lock(), stop, next, is_asked);
      } else {
        all.changed.wait(count.mutex_lock(), stop, is_asked);
      }
      seen = *count;
    }
    if (stop.stop_requested()) return;
    tick();
    next = std::max(next + interval, Clock::now());
  }
}

std::uint64_t requests_so_far() { return *requests().count.lock(); }

}  // namespace

Ticker::Ticker(std::chrono::nanoseconds interval, std::function<void()> tick) {
  try {
    thread_ =
        std::jthread([interval, tick = std::move(tick), seen = requests_so_far()](
                         const std::stop_token& stop) { tick_on(interval, tick, seen, stop); });
  } catch (const std::system_error& failure) {
    log::debug("progress is not shown: {}", failure.what());
  }
}

Ticker::~Ticker() = default;

void Ticker::tick_now() {
  Requests& all = requests();
  ++*all.count.lock();
  all.changed.notify_all();
}

}  // namespace restree
