// How many bytes may be on their way from a server. Used twice: for the bytes that an SSH server
// may send before it hears that earlier ones were read, and for those that an SFTP server is asked
// for before it has answered earlier requests.
//
// With less than the line carries in a round trip, the line stands idle between answers. With much
// more, OpenSSH's server takes all that it may into buffers that it moves about in memory for each
// 32 KiB: with 16 MiB under way it spent three times the processor time, and now and then took half
// a second longer for the bytes that a caller waited for. So a window begins at the size that suits
// most lines, and grows where it is seen to be what limits the rate.
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

  // Reports that `received` bytes have come.
  void note(std::size_t received, Time now) {
    received_ += received;
    const Duration time = now - since_;
    if (time < std::max<Duration>(kSampleRoundTrips * round_trip_, kLeastSample)) return;
    using Seconds = std::chrono::duration<double>;
    const double in_round_trip = static_cast<double>(received_) * (Seconds(round_trip_) / time);
    // As long as the window is the limit, one window comes in a round trip, and a quarter more than
    // that makes it grow. Where the line is the limit, less comes, and the window stays as it is.
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
