#include "tests/support/line_link.h"

#include <gtest/gtest.h>

namespace restree::testing {
namespace {

using namespace std::chrono_literals;

constexpr LineTime kStart{1000s};

TEST(LineLink, BytesArriveADelayAfterTheyHaveLeft) {
  LineLink link(1'000'000, 20ms);
  link.begin_waiting(kStart);
  EXPECT_EQ(link.pass(10'000, kStart), kStart + 10ms + 20ms);
  EXPECT_EQ(link.pass(5'000, kStart), kStart + 15ms + 20ms);
}

TEST(LineLink, NothingEntersThatWouldWaitForLongerThanAMillisecond) {
  LineLink link(1'000'000, 20ms);
  link.begin_waiting(kStart);
  link.pass(1'000, kStart);
  EXPECT_TRUE(link.has_room(kStart));
  link.pass(1'000, kStart);
  EXPECT_FALSE(link.has_room(kStart));
  EXPECT_EQ(link.room_at(), kStart + 1ms);
}

TEST(LineLink, TimeThatNobodyUsedIsLost) {
  LineLink link(1'000'000, 0ms);
  link.begin_waiting(kStart);
  link.pass(1'000, kStart);
  link.begin_waiting(kStart + 1s);
  EXPECT_EQ(link.pass(1'000, kStart + 1s), kStart + 1s + 1ms);
}

TEST(LineLink, WhoIsLateInLettingWaitingBytesInMakesUpForIt) {
  LineLink link(1'000'000, 0ms);
  link.begin_waiting(kStart);
  EXPECT_EQ(link.pass(1'000, kStart + 30ms), kStart + 1ms);
  EXPECT_EQ(link.pass(1'000, kStart + 500ms), kStart + 500ms - 50ms + 1ms) << "within limits";
}

TEST(LineLink, WithoutARateThereIsOnlyTheDelay) {
  LineLink link(0, 5ms);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(link.pass(1 << 20, kStart), kStart + 5ms);
  EXPECT_TRUE(link.has_room(kStart));
}

TEST(LineLink, AStandstillMakesEverythingLater) {
  LineLink link(1'000'000, 20ms);
  link.begin_waiting(kStart);
  link.pass(10'000, kStart);
  link.shift(3s);
  EXPECT_EQ(link.pass(1'000, kStart + 3s), kStart + 3s + 11ms + 20ms);
}

}  // namespace
}  // namespace restree::testing
