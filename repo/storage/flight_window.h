// How many bytes may be on their way from a server: those it may send ahead of being told that they
// were read, and those that it is asked for ahead of its answers.
//
// Less than what the line carries in a round trip, and it stands still between two of them. Much
// more, and OpenSSH's server takes all that it may into buffers that it moves about in memory for
// each 32 KiB: with 16 MiB under way it spent three times the processor time, and now and then half
// a second on the bytes that somebody waited for. So a window begins at what most lines need, and
// grows where that is seen to be what limits the rate.
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

class FlightWindow {
 public:
  using Time = Deadline::Clock::time_point;
  using Duration = Deadline::Clock::duration;

  static constexpr std::uint32_t kMostBytes = 16 << 20;

  FlightWindow(std::uint32_t first_bytes, Duration round_trip, Time now)
      : round_trip_(round_trip), since_(now), bytes_(first_bytes) {}

  std::uint32_t bytes() const { return bytes_; }

  // So many bytes have come.
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
  std::uint32_t bytes_;
};

}  // namespace restree
