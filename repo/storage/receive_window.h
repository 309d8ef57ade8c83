// How many bytes an SSH server may send ahead of being told that they were read.
//
// Less than what the line carries in a round trip, and it stands still between two adjustments.
// Much more, and OpenSSH's server reads all that it may into a buffer that it moves about in memory
// again and again: with 16 MiB it took three times the processor time. So the window is what
// OpenSSH's own client grants, and grows where that is seen to be what limits the rate.
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

class ReceiveWindow {
 public:
  using Time = Deadline::Clock::time_point;
  using Duration = Deadline::Clock::duration;

  static constexpr std::uint32_t kFirstBytes = 2 << 20;
  static constexpr std::uint32_t kMostBytes = 16 << 20;

  ReceiveWindow(Duration round_trip, Time now) : round_trip_(round_trip), since_(now) {}

  std::uint32_t bytes() const { return bytes_; }

  // So many bytes were read.
  void note(std::size_t received, Time now) {
    received_ += received;
    const Duration time = now - since_;
    if (time < std::max<Duration>(kSampleRoundTrips * round_trip_, kLeastSample)) return;
    using Seconds = std::chrono::duration<double>;
    const double in_round_trip = static_cast<double>(received_) * (Seconds(round_trip_) / time);
    // What a full window brings in a round trip is the window. So a quarter more lets it grow as
    // long as it is what limits, and no further.
    bytes_ = std::max(bytes_, static_cast<std::uint32_t>(
                                  std::min(in_round_trip * 1.25, static_cast<double>(kMostBytes))));
    since_ = now;
    received_ = 0;
  }

 private:
  static constexpr int kSampleRoundTrips = 2;
  static constexpr std::chrono::milliseconds kLeastSample{20};

  Duration round_trip_;
  Time since_;
  std::size_t received_ = 0;
  std::uint32_t bytes_ = kFirstBytes;
};

}  // namespace restree
