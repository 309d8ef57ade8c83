// How long an emulated line takes: its round trips, and its rate, alone and shared.
//
// Times are judged so that a busy machine fails nothing: never too early is asked of every attempt,
// never too late of the best of several.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "repo/base/unique_fd.h"
#include "tests/support/line_emulator.h"
#include "tests/support/line_ends.h"

namespace restree::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kAttempts = 8;
constexpr std::uint64_t kRate = 8'000'000;

// How many of `size` bytes come. They are not kept: fresh memory for them can take longer than the
// line does.
std::size_t receive_and_drop(const UniqueFd& fd, std::size_t size) {
  static thread_local std::array<char, 64 << 10> buffer;
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more = ::recv(fd.get(), buffer.data(), std::min(buffer.size(), size - got), 0);
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  return got;
}

// How long `size` bytes take, from the first to the last that arrives.
Seconds time_of_transfer(const UniqueFd& from, const UniqueFd& to, std::size_t size) {
  static const std::string bytes(64 << 10, 'b');
  std::jthread sender([&] {
    for (std::size_t left = size; left > 0;) {
      const std::size_t some = std::min(left, bytes.size());
      ASSERT_TRUE(send_all(from, some == bytes.size() ? bytes : bytes.substr(0, some)));
      left -= some;
    }
  });
  EXPECT_EQ(receive_and_drop(to, 1), 1U);
  const auto begin = steady_clock::now();
  EXPECT_EQ(receive_and_drop(to, size - 1), size - 1);
  return steady_clock::now() - begin;
}

TEST(LineEmulator, AnEchoTakesTheRoundTripAndLittleMore) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 40ms});
  const Pair pair(line, listener);
  ASSERT_TRUE(pair.echo());
  auto best = steady_clock::duration::max();
  for (int i = 0; i < 2 * kAttempts; ++i) {
    const auto begin = steady_clock::now();
    ASSERT_TRUE(pair.echo());
    const auto time = steady_clock::now() - begin;
    EXPECT_GE(time, 40ms);
    best = std::min(best, time);
  }
  EXPECT_LT(best, 44ms);
}

TEST(LineEmulator, TheGreetingOfTheServerComesTwoRoundTripsAfterConnecting) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 40ms});
  auto best = steady_clock::duration::max();
  for (int i = 0; i < kAttempts; ++i) {
    const auto begin = steady_clock::now();
    const Pair pair(line, listener);
    ASSERT_TRUE(send_all(pair.server, "hello"));
    ASSERT_EQ(receive(pair.client, 5), "hello");
    const auto time = steady_clock::now() - begin;
    EXPECT_GE(time, 80ms);
    best = std::min(best, time);
  }
  EXPECT_LT(best, 90ms);
}

// With so long a delay that more than a megabyte is under way.
TEST(LineEmulator, OneConnectionReachesTheRateAndNoMore) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 300ms, .bytes_per_second = kRate});
  const Pair pair(line, listener);
  constexpr std::size_t kSize = kRate / 2;
  double best = 1e9;
  for (int i = 0; i < kAttempts && best > 0.5 / 0.95; ++i) {
    const auto begin = steady_clock::now();
    const Seconds time = time_of_transfer(pair.server, pair.client, kSize);
    EXPECT_GE(Seconds(steady_clock::now() - begin).count(), 0.15 + 0.5) << "more than the rate";
    best = std::min(best, time.count());
  }
  EXPECT_LE(best, 0.5 / 0.95);
}

TEST(LineEmulator, TwoConnectionsShareTheRateEvenly) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 20ms, .bytes_per_second = kRate});
  const Pair one(line, listener);
  const Pair two(line, listener);
  constexpr std::size_t kSize = kRate / 2;
  double best_total = 1e9;
  double most_even = 0;
  for (int i = 0; i < kAttempts && (best_total > 1.05 || most_even < 0.9); ++i) {
    // When each of them is done.
    Seconds first{};
    Seconds second{};
    const auto begin = steady_clock::now();
    {
      std::jthread other([&] {
        time_of_transfer(two.server, two.client, kSize);
        second = steady_clock::now() - begin;
      });
      time_of_transfer(one.server, one.client, kSize);
      first = steady_clock::now() - begin;
    }
    const double total = std::max(first, second).count();
    EXPECT_GE(total, 1.0) << "more than there is";
    best_total = std::min(best_total, total);
    most_even = std::max(most_even, std::min(first, second).count() / total);
  }
  EXPECT_LE(best_total, 1.05);
  EXPECT_GE(most_even, 0.9);
}

TEST(LineEmulator, TheWayToTheServerMayHaveARateOfItsOwn) {
  const Listener listener;
  const LineEmulator line(
      {.to = listener.port(), .bytes_per_second = kRate, .up_bytes_per_second = kRate / 10});
  const Pair pair(line, listener);
  double best = 1e9;
  for (int i = 0; i < kAttempts && best > 0.1; ++i) {
    const Seconds up = time_of_transfer(pair.client, pair.server, kRate / 40);
    EXPECT_GE(up.count(), 0.2) << "more than the rate";
    best = std::min(best, time_of_transfer(pair.server, pair.client, kRate / 40).count());
  }
  EXPECT_LE(best, 0.1);
}

TEST(LineEmulator, EachDirectionHasTheRateToItself) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 20ms, .bytes_per_second = kRate});
  const Pair pair(line, listener);
  constexpr std::size_t kSize = kRate / 2;
  double best = 1e9;
  for (int i = 0; i < kAttempts && best > 0.55; ++i) {
    Seconds up{};
    Seconds down{};
    {
      std::jthread other([&] { up = time_of_transfer(pair.client, pair.server, kSize); });
      down = time_of_transfer(pair.server, pair.client, kSize);
    }
    best = std::min(best, std::max(up, down).count());
  }
  EXPECT_LE(best, 0.55);
}

}  // namespace
}  // namespace restree::testing
