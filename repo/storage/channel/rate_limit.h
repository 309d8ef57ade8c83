// How many bytes may move in a second, in one direction, over all connections together.
//
// Threads: any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "repo/base/clock.h"
#include "repo/base/guarded.h"

namespace restree {

class RateLimit {
 public:
  using Clock = Deadline::Clock;

  // `bytes_per_second`: not 0.
  explicit RateLimit(std::uint64_t bytes_per_second);

  // How many of `wanted` bytes may move now, 0 to all; they count as moved.
  std::size_t take(std::size_t wanted, Clock::time_point now = Clock::now());
  // Bytes that were taken and did not move after all.
  void give_back(std::size_t bytes);
  // When it is worth calling take() again.
  Clock::time_point next() const;
  // Counts all of `bytes` as moved; until the moment returned, nothing else may move.
  Clock::time_point charge(std::uint64_t bytes, Clock::time_point now = Clock::now());

 private:
  struct State {
    double bytes = 0;  // that may move; negative: owed
    Clock::time_point counted;
  };
  void refill(State& state, Clock::time_point now) const REQUIRES(state_);
  Clock::time_point when_above(const State& state, double bytes) const REQUIRES(state_);

  const double per_second_;
  const double burst_bytes_;
  Guarded<State> state_;
};

struct RateLimits {
  std::shared_ptr<RateLimit> upload;    // null: none
  std::shared_ptr<RateLimit> download;  // null: none

  bool empty() const { return !upload && !download; }
};

// 0: no limit.
RateLimits make_rate_limits(std::uint64_t upload_per_second, std::uint64_t download_per_second);

}  // namespace restree
