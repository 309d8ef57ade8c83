#include "tools/output/ticker.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace restree {
namespace {

constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kJsonInterval{1};
constexpr double kMostPerSecond = 60;

// The value of RESTIC_PROGRESS_FPS; 0 if it is not set.
double wanted_per_second() {
  const char* text = std::getenv("RESTIC_PROGRESS_FPS");
  if (text == nullptr) return 0;
  char* end = nullptr;
  const double number = std::strtod(text, &end);
  const bool is_number = end != text && *end == '\0' && number > 0;
  return is_number ? std::min(number, kMostPerSecond) : 0;
}

}  // namespace

std::chrono::nanoseconds progress_interval(bool json, int verbosity, const Io& io) {
  if (verbosity == 0 && !json) return std::chrono::nanoseconds(0);
  if (const double per_second = wanted_per_second(); per_second > 0) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
  }
  if (json) return kJsonInterval;
  return io.is_terminal() ? kTerminalInterval : std::chrono::nanoseconds(0);
}

Ticker::Ticker(std::chrono::nanoseconds interval, std::function<void()> tick) {
  if (interval.count() == 0) return;
  thread_ = std::jthread([this, interval, tick = std::move(tick)](const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    for (auto next = std::chrono::steady_clock::now() + interval; !stop.stop_requested();
         next += interval) {
      wake_.wait_until(lock, stop, next, [] { return false; });
      if (!stop.stop_requested()) tick();
    }
  });
}

Ticker::~Ticker() = default;

}  // namespace restree
