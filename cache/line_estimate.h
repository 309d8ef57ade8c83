// What the line to the storage is like, learned from the requests that are made anyway.
//
// A request costs a round trip and the time that its bytes take. How many bytes the line carries in
// a round trip (the bandwidth-delay product) is what a request may be widened by for little, and
// what has to be under way to keep the line busy.
//
// Pure: the caller says what time it is.
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
  // It was answered with `bytes`, or with none if it failed.
  void ended(Time begun, Time now, std::uint64_t bytes);

  // Before the first answer: those of a home line, as good a guess as any.
  Duration round_trip() const;
  double bytes_per_second() const;
  // Their product, within kLeastProduct and kMostProduct.
  std::size_t delay_product() const;
  // What was learned last is that it carries more than was known: there may be more still.
  bool is_rising() const { return is_rising_; }
  bool is_measured() const { return round_trip_measured() != Duration::max(); }

  static constexpr std::size_t kLeastProduct = 32 << 10;
  static constexpr std::size_t kMostProduct = 32 << 20;

 private:
  Duration round_trip_measured() const { return std::min(now_.round_trip, before_.round_trip); }

  // The best of this stretch of time and of the one before: a line may become worse.
  struct Best {
    double rate = 0;
    Duration round_trip = Duration::max();
  };
  void begin_stretch(Time now);
  void end_sample(Time now);

  std::size_t flying_ = 0;
  // A time in which something is under way all the while, and what arrived in it.
  Time sample_begun_{};
  std::uint64_t sample_bytes_ = 0;
  Duration longest_in_sample_{};
  bool is_rising_ = true;
  bool was_idle_ = true;  // before it, so that its first round trip brought nothing
  Time stretch_begun_{};
  Best now_;
  Best before_;
};

}  // namespace restree
