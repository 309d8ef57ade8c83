// Estimates the round trip and the rate of the line to the storage from the requests that are made
// anyway.
//
// A request costs a round trip and the time that its bytes take. The bytes that the line carries in
// a round trip (the bandwidth-delay product) say how much a request can be widened at little cost,
// and how much has to be under way to keep the line busy.
//
// Pure: the caller passes the time.
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "repo/base/clock.h"

namespace restree {

class LineEstimate {
 public:
  using Time = Deadline::Clock::time_point;
  using Duration = Deadline::Clock::duration;

  // A request is sent.
  void began(Time now);
  // The request sent at `begun` was answered with `bytes`, or with 0 if it failed.
  void ended(Time begun, Time now, std::uint64_t bytes);

  // Before the first answer: the values of a home line, as good a guess as any.
  Duration round_trip() const;
  double bytes_per_second() const;
  // The product of both, from kLeastProduct to kMostProduct.
  std::size_t delay_product() const;
  // True if the last sample was better than all before: the line may carry still more.
  bool is_rising() const { return is_rising_; }
  bool is_measured() const { return round_trip_measured() != Duration::max(); }

  static constexpr std::size_t kLeastProduct = 32 << 10;
  static constexpr std::size_t kMostProduct = 32 << 20;

 private:
  Duration round_trip_measured() const { return std::min(now_.round_trip, before_.round_trip); }

  // The best values of one stretch of time. Only this stretch and the one before count, since a
  // line may become worse.
  struct Best {
    double rate = 0;
    Duration round_trip = Duration::max();
  };
  void begin_stretch(Time now);
  void end_sample(Time now);

  std::size_t flying_ = 0;
  // A sample: a time during which some request was always under way, and the bytes that arrived.
  Time sample_begun_{};
  std::uint64_t sample_bytes_ = 0;
  Duration longest_in_sample_{};
  bool is_rising_ = true;
  bool was_idle_ = true;  // before the sample, so that its first round trip brought nothing
  Time stretch_begun_{};
  Best now_;
  Best before_;
};

}  // namespace restree
