#include "repo/storage/channel/flight_window.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace restree {
namespace {

using namespace std::chrono_literals;
using Time = FlightWindow::Time;

constexpr std::uint32_t kFirst = 2 << 20;

// The window after `time`, on a line where a server sends what window and rate allow.
std::uint32_t window_over(std::chrono::milliseconds round_trip, double bytes_per_second,
                          std::chrono::seconds time = 10s) {
  Time now = Time() + 1h;
  const Time end = now + time;
  FlightWindow window(kFirst, round_trip, now);
  while (now < end) {
    now += 10ms;
    const double limited =
        round_trip > 0ms ? window.bytes() * (10.0 / static_cast<double>(round_trip.count())) : 1e9;
    window.note(static_cast<std::size_t>(std::min(bytes_per_second / 100, limited)), now);
  }
  return window.bytes();
}

TEST(FlightWindow, StaysSmallWhereThatIsEnough) {
  EXPECT_EQ(window_over(0ms, 500e6), kFirst);
  EXPECT_EQ(window_over(10ms, 125e6), kFirst);
  EXPECT_EQ(window_over(300ms, 1e6), kFirst);
}

TEST(FlightWindow, GrowsUntilItFillsALongLine) {
  const std::uint32_t window = window_over(100ms, 60e6);
  EXPECT_GE(window, 6'000'000U);
  EXPECT_LE(window, 8'000'000U);
}

TEST(FlightWindow, DoesNotTakeLongToGrow) { EXPECT_GE(window_over(100ms, 31e6, 1s), 3'000'000U); }

TEST(FlightWindow, HasALimit) { EXPECT_EQ(window_over(500ms, 1e9, 60s), FlightWindow::kMostBytes); }

}  // namespace
}  // namespace restree
