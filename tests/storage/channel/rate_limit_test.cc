#include "repo/storage/channel/rate_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "repo/storage/channel/limited_channel.h"
#include "repo/storage/decorators/limited_storage.h"
#include "repo/storage/memory_storage.h"
#include "tests/storage/sftp/socket_channel.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::FailsWith;
using testing::SocketChannel;
using testing::value_of;

TEST(RateLimit, LetsABurstThroughAndThenItsRate) {
  RateLimit limit(1'000'000);
  auto now = RateLimit::Clock::now();
  EXPECT_EQ(limit.take(1'000'000, now), 50'000);
  EXPECT_EQ(limit.take(1, now), 0);
  std::size_t sum = 0;
  for (int i = 0; i < 1000; ++i) sum += limit.take(1'000'000, now += 1ms);
  EXPECT_NEAR(static_cast<double>(sum), 1e6, 1e3);
}

TEST(RateLimit, SaysWhenToAskAgain) {
  RateLimit limit(1'000'000);
  const auto now = RateLimit::Clock::now();
  limit.take(50'000, now);
  const auto next = limit.next();
  EXPECT_GT(next, now);
  EXPECT_GT(limit.take(1'000'000, next), 20'000);
}

TEST(RateLimit, BytesThatWereGivenBackMayMoveLater) {
  RateLimit limit(1'000'000);
  const auto now = RateLimit::Clock::now();
  const std::size_t taken = limit.take(10'000, now);
  limit.give_back(taken);
  EXPECT_EQ(limit.take(50'000, now), 50'000);
}

TEST(RateLimit, AFastLineMaySaveUpMoreThan32BitsCount) {
  constexpr std::uint64_t kSavedUp = std::uint64_t{1} << 32;
  RateLimit limit(kSavedUp * 20);
  EXPECT_EQ(limit.take(100), 100);
}

TEST(RateLimit, ALargePieceIsPaidForAfterwards) {
  RateLimit limit(1'000'000);
  const auto now = RateLimit::Clock::now();
  const auto until = limit.charge(1'050'000, now);
  EXPECT_NEAR(std::chrono::duration<double>(until - now).count(), 1.0, 0.01);
}

TEST(LimitedChannel, MovesAllBytesAtItsRate) {
  auto [inner, server] = SocketChannel::make();
  auto channel = value_of(LimitedChannel::make(std::move(inner), make_rate_limits(2'000'000, 0)));
  const std::string sent(500'000, 'x');
  std::string received;
  std::jthread reader([&, fd = server.get()] {
    std::array<char, 65536> buffer;
    while (received.size() < sent.size()) {
      const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      received.append(buffer.data(), static_cast<std::size_t>(got));
    }
  });
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < sent.size();) {
    const std::size_t count =
        value_of(channel->write_some(as_bytes(sent).subspan(done, sent.size() - done)));
    done += count;
    const auto wait = channel->wait_for();
    pollfd polled{wait.fd, wait.events, 0};
    if (count == 0) ::poll(&polled, 1, 1000);
  }
  reader.join();
  EXPECT_EQ(received, sent);
  // 400,000 bytes beyond the burst at 2 MB/s.
  EXPECT_GT(std::chrono::steady_clock::now() - begun, 150ms);
}

TEST(LimitedChannel, WithoutLimitsIsTheChannelItself) {
  auto [inner, server] = SocketChannel::make();
  const ByteChannel* const before = inner.get();
  EXPECT_EQ(value_of(LimitedChannel::make(std::move(inner), {})).get(), before);
}

TEST(LimitedStorage, PausesAsLongAsTheBytesNeed) {
  const auto storage =
      limit_storage(std::make_shared<MemoryStorage>(), make_rate_limits(1'000'000, 0), {});
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_OK(storage->write({FileType::kPack, std::string(64, 'a')},
                           as_bytes(std::string(250'000, 'x')), Deadline::after(60s)));
  EXPECT_GT(std::chrono::steady_clock::now() - begun, 150ms);
}

TEST(LimitedStorage, AStopRequestEndsAPause) {
  std::stop_source stop;
  const auto storage =
      limit_storage(std::make_shared<MemoryStorage>(), make_rate_limits(1, 0), stop.get_token());
  stop.request_stop();
  EXPECT_THAT(storage->write({FileType::kPack, std::string(64, 'a')},
                             as_bytes(std::string(250'000, 'x')), Deadline::after(60s)),
              FailsWith(ErrorKind::kCancelled));
}

}  // namespace
}  // namespace restree
