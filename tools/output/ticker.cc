#include "tools/output/ticker.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <utility>

#include "repo/base/clock.h"
#include "repo/base/log.h"

namespace restree {
namespace {

// How often all tickers of the process were asked to tick at once.
struct Requests {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::uint64_t count = 0;
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
      std::unique_lock lock(all.mutex);
      const auto is_asked = [&] { return all.count != seen; };
      if (is_regular) {
        all.changed.wait_until(lock, stop, next, is_asked);
      } else {
        all.changed.wait(lock, stop, is_asked);
      }
      seen = all.count;
    }
    if (stop.stop_requested()) return;
    tick();
    next = std::max(next + interval, Clock::now());
  }
}

std::uint64_t requests_so_far() {
  const std::lock_guard lock(requests().mutex);
  return requests().count;
}

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
  {
    const std::lock_guard lock(all.mutex);
    ++all.count;
  }
  all.changed.notify_all();
}

}  // namespace restree
