// One direction of an emulated line: when bytes that enter it come out at the other end.
//
// Bytes leave one after another at the link's rate, and arrive a delay later. Connections that
// share a link take turns of turn_bytes(). No byte may enter that would have to wait for longer
// than a millisecond: it waits in its sender's socket instead.
//
// Pure values: no I/O, no clock. If waiting bytes are let in late, that does not make the line
// slower, unless they are more than 50 ms late.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace restree::testing {

using LineTime = std::chrono::steady_clock::time_point;

class LineLink {
 public:
  // bytes_per_second: 0 is a link without limit.
  LineLink(std::uint64_t bytes_per_second, std::chrono::nanoseconds delay)
      : bytes_per_second_(bytes_per_second), delay_(delay) {}

  std::chrono::nanoseconds delay() const { return delay_; }
  // A millisecond's worth, and no less than a packet.
  std::size_t turn_bytes() const {
    if (bytes_per_second_ == 0) return kLongestTurn;
    return static_cast<std::size_t>(
        std::clamp<std::uint64_t>(bytes_per_second_ / 1000, kShortestTurn, kLongestTurn));
  }

  // When the next bytes may enter.
  LineTime room_at() const { return free_at_ - kQueue; }
  bool has_room(LineTime now) const { return room_at() <= now; }

  // Nobody was waiting until now: time that has gone by unused is lost.
  void begin_waiting(LineTime now) { free_at_ = std::max(free_at_, now); }
  // Bytes enter. Returns when they arrive.
  LineTime pass(std::size_t bytes, LineTime now) {
    free_at_ = std::max(free_at_, now - kForgivenLateness) + time_of(bytes);
    if (bytes_per_second_ == 0) free_at_ = now;
    return free_at_ + delay_;
  }
  // The line has stood still for so long.
  void shift(std::chrono::nanoseconds by) { free_at_ += by; }

  static constexpr std::size_t kLongestTurn = 128 << 10;

 private:
  static constexpr std::size_t kShortestTurn = 1500;
  static constexpr std::chrono::milliseconds kQueue{1};
  static constexpr std::chrono::milliseconds kForgivenLateness{50};

  std::chrono::nanoseconds time_of(std::size_t bytes) const {
    if (bytes_per_second_ == 0) return {};
    return std::chrono::nanoseconds(std::uint64_t{bytes} * 1'000'000'000 / bytes_per_second_);
  }

  std::uint64_t bytes_per_second_;
  std::chrono::nanoseconds delay_;
  LineTime free_at_{};
};

}  // namespace restree::testing
