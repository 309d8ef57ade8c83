#include "tests/support/line_emulator.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "repo/base/unique_fd.h"
#include "tests/support/line_ends.h"

namespace restree::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// The most that a receiver which does not read can take: the kernel's largest buffers for both
// connections, and the window.
constexpr std::size_t kMoreThanFits = 96 << 20;

// More and more is sent, until nothing has been taken for a while.
bool fills_up(const UniqueFd& fd) {
  const timeval soon{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
  return !send_all(fd, std::string(kMoreThanFits, 'b'));
}

// 0 for the end of the stream, else the errno; -1 for more bytes.
int end_of(const UniqueFd& fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd.get(), &byte, 1, 0);
  return got > 0 ? -1 : got == 0 ? 0 : errno;
}

TEST(LineEmulator, BytesComeOutAsTheyWentIn) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 2ms});
  const Pair pair(line, listener);
  std::string bytes(8 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 2654435761U >> 24);
  std::jthread sender([&] { EXPECT_TRUE(send_all(pair.client, bytes)); });
  EXPECT_TRUE(receive(pair.server, bytes.size()) == bytes);
}

TEST(LineEmulator, ItCountsBytesAndConnections) {
  const Listener listener;
  LineEmulator line({.to = listener.port()});
  const Pair kept(line, listener);
  {
    const Pair closed(line, listener);
    ASSERT_TRUE(send_all(closed.client, std::string(1000, 'u')));
    ASSERT_EQ(receive(closed.server, 1000).size(), 1000U);
  }
  ASSERT_TRUE(send_all(kept.server, std::string(300'000, 'd')));
  ASSERT_EQ(receive(kept.client, 300'000).size(), 300'000U);
  while (line.counts().open > 1) std::this_thread::yield();
  const LineCounts counts = line.counts();
  EXPECT_EQ(counts.up_bytes, 1000U);
  EXPECT_EQ(counts.down_bytes, 300'000U);
  EXPECT_EQ(counts.connections, 2U);
  EXPECT_EQ(counts.open, 1U);
}

TEST(LineEmulator, ItCountsRoundTripsThatWaitForEachOther) {
  const Listener listener;
  const LineEmulator line({.to = listener.port()});
  const auto round_trips = [&line] { return line.counts().round_trips; };
  EXPECT_EQ(round_trips(), 0U);
  const Pair one(line, listener);
  ASSERT_TRUE(send_all(one.server, "greeting"));
  ASSERT_EQ(receive(one.client, 8), "greeting");
  EXPECT_EQ(round_trips(), 2U) << "with TCP's handshake";
  ASSERT_TRUE(one.echo());
  EXPECT_EQ(round_trips(), 3U);

  // Two requests at once wait for the line once.
  ASSERT_TRUE(send_all(one.client, "a") && send_all(one.client, "b"));
  ASSERT_EQ(receive(one.server, 2), "ab");
  ASSERT_TRUE(send_all(one.server, "c") && send_all(one.server, "d"));
  ASSERT_EQ(receive(one.client, 2), "cd");
  EXPECT_EQ(round_trips(), 4U);

  // One that is opened now may have waited for all of that.
  const Pair other(line, listener);
  ASSERT_TRUE(other.echo());
  EXPECT_EQ(round_trips(), 6U);
  ASSERT_TRUE(one.echo());
  EXPECT_EQ(round_trips(), 7U);
}

TEST(LineEmulator, ACutResetsBothEndsAndNewConnectionsWork) {
  const Listener listener;
  LineEmulator line({.to = listener.port(), .rtt = 10ms});
  const Pair before(line, listener);
  ASSERT_TRUE(before.echo());
  line.cut();
  EXPECT_EQ(line.counts().open, 0U);
  EXPECT_EQ(end_of(before.client), ECONNRESET);
  EXPECT_EQ(end_of(before.server), ECONNRESET);
  EXPECT_TRUE(Pair(line, listener).echo());
}

TEST(LineEmulator, AStallHoldsUpEverythingAndLosesNothing) {
  const Listener listener;
  LineEmulator line({.to = listener.port(), .rtt = 40ms});
  const Pair pair(line, listener);
  ASSERT_TRUE(pair.echo());
  ASSERT_TRUE(send_all(pair.client, "before"));
  const auto begin = steady_clock::now();
  line.stall(300ms);
  EXPECT_EQ(receive(pair.server, 6), "before");
  EXPECT_GE(steady_clock::now() - begin, 300ms);
  EXPECT_TRUE(pair.echo());
}

TEST(LineEmulator, AConnectionMadeDuringAStallBeginsWhenItEnds) {
  const Listener listener;
  std::atomic<bool> has_stood_still = false;
  LineOptions options{.to = listener.port(), .rtt = 40ms};
  options.now = [&] { return steady_clock::now() + (has_stood_still ? 200ms : 0ms); };
  LineEmulator line(options);
  line.stall(30min);
  const UniqueFd client = connect_to(line.port());
  ASSERT_TRUE(client);
  while (line.counts().open == 0) std::this_thread::yield();
  has_stood_still = true;
  const auto begin = steady_clock::now();
  line.go_on();
  const UniqueFd server = listener.accept();
  EXPECT_GE(steady_clock::now() - begin, 60ms);
  ASSERT_TRUE(send_all(client, "x"));
  EXPECT_EQ(receive(server, 1), "x");
}

TEST(LineEmulator, RefusalMeetsNewConnectionsOnly) {
  const Listener listener;
  LineEmulator line({.to = listener.port(), .rtt = 4ms});
  const Pair before(line, listener);
  ASSERT_TRUE(before.echo());
  line.refuse();
  EXPECT_FALSE(connect_to(line.port()));
  EXPECT_EQ(errno, ECONNREFUSED);
  EXPECT_TRUE(before.echo());
  line.go_on();
  EXPECT_TRUE(Pair(line, listener).echo());
}

TEST(LineEmulator, TheEndOfAStreamLeavesTheOtherDirectionOpen) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 4ms});
  const Pair pair(line, listener);
  ASSERT_TRUE(send_all(pair.client, "question"));
  ASSERT_EQ(::shutdown(pair.client.get(), SHUT_WR), 0);
  EXPECT_EQ(receive(pair.server, 100), "question");
  ASSERT_TRUE(send_all(pair.server, "answer"));
  ASSERT_EQ(::shutdown(pair.server.get(), SHUT_WR), 0);
  EXPECT_EQ(receive(pair.client, 100), "answer");
  EXPECT_EQ(end_of(pair.client), 0);
  while (line.counts().open > 0) std::this_thread::yield();
}

TEST(LineEmulator, AResetPassesTheLineAfterTheBytesBeforeIt) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 40ms});
  Pair pair(line, listener);
  ASSERT_TRUE(pair.echo());
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(pair.server.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const auto begin = steady_clock::now();
  pair.server.reset();
  EXPECT_EQ(end_of(pair.client), ECONNRESET);
  EXPECT_GE(steady_clock::now() - begin, 20ms);
}

TEST(LineEmulator, WithoutServerClientsAreReset) {
  Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 4ms});
  listener.stop();
  const UniqueFd client = connect_to(line.port());
  ASSERT_TRUE(client);
  EXPECT_EQ(end_of(client), ECONNRESET);
}

TEST(LineEmulator, WhoDoesNotReadHoldsUpNobodyElse) {
  const Listener listener;
  const LineEmulator line({.to = listener.port(), .rtt = 4ms, .window = 1 << 20});
  const Pair lazy(line, listener);
  const Pair other(line, listener);
  EXPECT_TRUE(fills_up(lazy.server)) << "without a bound";
  EXPECT_TRUE(other.echo(std::string(100'000, 'e')));
}

// Of an idle connection, of one whose receiver does not read, for a slow line's room, for a stall's
// end.
TEST(LineEmulator, WaitingTakesNoProcessorTime) {
  const Listener listener;
  LineEmulator line({.to = listener.port(), .rtt = 4ms, .window = 1 << 16});
  const Pair idle(line, listener);
  const Pair lazy(line, listener);
  EXPECT_TRUE(fills_up(lazy.server));
  // A thread that waits turns once for each look at it, and for little else; one that does not wait
  // turns as often as the processor lets it.
  constexpr std::uint64_t kLooks = 2000;
  const auto turns_between_looks = [](const LineEmulator& looked_at) {
    const std::uint64_t before = looked_at.counts().turns;
    for (std::uint64_t i = 1; i < kLooks; ++i) looked_at.counts();
    return looked_at.counts().turns - before;
  };
  EXPECT_LT(turns_between_looks(line), kLooks + 50);
  const LineEmulator slow_line({.to = listener.port(), .bytes_per_second = 100'000});
  const Pair slow(slow_line, listener);
  ASSERT_TRUE(send_all(slow.client, std::string(200'000, 'b')));
  // A turn for each of its 134 packets that leaves, and for each that arrives.
  EXPECT_LT(turns_between_looks(slow_line), kLooks + 400);
  ASSERT_TRUE(send_all(idle.client, "held up"));
  line.stall(30min);
  EXPECT_LT(turns_between_looks(line), kLooks + 50);
}

}  // namespace
}  // namespace restree::testing
