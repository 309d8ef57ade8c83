// Times are judged so that a busy machine fails nothing: never too early is asked of every attempt,
// never too late of the best of several.
#include "tests/support/line_emulator.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <system_error>
#include <thread>

#include "repo/base/unique_fd.h"

namespace restree::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kAttempts = 8;
constexpr std::uint64_t kRate = 8'000'000;
// The most that a receiver which does not read can take: the kernel's largest buffers for both
// connections, and the window.
constexpr std::size_t kMoreThanFits = 96 << 20;

// No test waits for ever.
UniqueFd with_patience(UniqueFd fd) {
  const timeval limit{.tv_sec = 30, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

UniqueFd make_socket() {
  UniqueFd fd = with_patience(UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// The connection, or no descriptor and errno.
UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd = make_socket();
  const sockaddr_in address = loopback(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int why = errno;
    fd.reset();
    errno = why;
  }
  return fd;
}

class Listener {
 public:
  Listener() : fd_(make_socket()) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_.get(), generic, size) != 0 || ::listen(fd_.get(), 16) != 0 ||
        ::getsockname(fd_.get(), generic, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "listen");
    }
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }
  UniqueFd accept() const {
    return with_patience(UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  void stop() { fd_.reset(); }

 private:
  UniqueFd fd_;
  std::uint16_t port_ = 0;
};

bool send_all(const UniqueFd& fd, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t put = ::send(fd.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put < 0) return false;
    sent += static_cast<std::size_t>(put);
  }
  return true;
}

// More and more is sent, until nothing has been taken for a while.
bool fills_up(const UniqueFd& fd) {
  const timeval soon{.tv_sec = 0, .tv_usec = 300'000};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
  return !send_all(fd, std::string(kMoreThanFits, 'b'));
}

// Reads until there are `size` bytes, or the end.
std::string receive(const UniqueFd& fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more = ::recv(fd.get(), bytes.data() + got, size - got, 0);
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  bytes.resize(got);
  return bytes;
}

// 0 for the end of the stream, else the errno; -1 for more bytes.
int end_of(const UniqueFd& fd) {
  char byte = 0;
  const ssize_t got = ::recv(fd.get(), &byte, 1, 0);
  return got > 0 ? -1 : got == 0 ? 0 : errno;
}

// Both ends of a connection over the line.
struct Pair {
  Pair(const LineEmulator& line, const Listener& listener)
      : client(connect_to(line.port())), server(listener.accept()) {}
  // There and back.
  bool echo(const std::string& bytes = "x") const {
    return send_all(client, bytes) && receive(server, bytes.size()) == bytes &&
           send_all(server, bytes) && receive(client, bytes.size()) == bytes;
  }

  UniqueFd client;
  UniqueFd server;
};

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
