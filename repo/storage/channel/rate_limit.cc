#include "repo/storage/channel/rate_limit.h"

#include <algorithm>

namespace restree {
namespace {

// Short enough that a line is not blocked for others, long enough not to wake up all the time.
constexpr double kBurstSeconds = 0.05;
constexpr double kLeastBurstBytes = 4096;

}  // namespace

RateLimit::RateLimit(std::uint64_t bytes_per_second)
    : per_second_(static_cast<double>(bytes_per_second)),
      burst_bytes_(std::max(per_second_ * kBurstSeconds, kLeastBurstBytes)) {
  auto state = state_.lock();
  state->bytes = burst_bytes_;
  state->counted = Clock::now();
}

void RateLimit::refill(State& state, Clock::time_point now) const {
  if (now <= state.counted) return;
  const double seconds = std::chrono::duration<double>(now - state.counted).count();
  state.bytes = std::min(state.bytes + seconds * per_second_, burst_bytes_);
  state.counted = now;
}

RateLimit::Clock::time_point RateLimit::when_above(const State& state, double bytes) const {
  const double seconds = std::max(0.0, (bytes - state.bytes) / per_second_);
  return state.counted +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::size_t RateLimit::take(std::size_t wanted, Clock::time_point now) {
  auto state = state_.lock();
  refill(*state, now);
  if (state->bytes < 1) return 0;
  // Compared as they are: a std::size_t may be too small for what a fast line has saved up.
  const auto taken = static_cast<std::size_t>(std::min(static_cast<double>(wanted), state->bytes));
  state->bytes -= static_cast<double>(taken);
  return taken;
}

void RateLimit::give_back(std::size_t bytes) {
  auto state = state_.lock();
  state->bytes = std::min(state->bytes + static_cast<double>(bytes), burst_bytes_);
}

RateLimit::Clock::time_point RateLimit::next() const {
  const auto state = state_.lock();
  return when_above(*state, burst_bytes_ / 2);
}

RateLimit::Clock::time_point RateLimit::charge(std::uint64_t bytes, Clock::time_point now) {
  auto state = state_.lock();
  refill(*state, now);
  state->bytes -= static_cast<double>(bytes);
  return when_above(*state, 0);
}

RateLimits make_rate_limits(std::uint64_t upload_per_second, std::uint64_t download_per_second) {
  const auto make = [](std::uint64_t rate) {
    return rate == 0 ? nullptr : std::make_shared<RateLimit>(rate);
  };
  return {make(upload_per_second), make(download_per_second)};
}

}  // namespace restree
