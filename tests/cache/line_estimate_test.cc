#include "cache/line_estimate.h"

#include <gtest/gtest.h>

#include <deque>

namespace restree {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration;
using Time = LineEstimate::Time;

// A line of 20 ms and 100 MB/s, on which answers follow each other.
struct Line {
  LineEstimate estimate;
  Time now = Time() + 1h;
  Time free_at{};
  LineEstimate::Duration round_trip = 20ms;
  double rate = 100e6;

  Time answer_at(std::uint64_t bytes) {
    const auto transfer = std::chrono::duration_cast<LineEstimate::Duration>(
        duration<double>(static_cast<double>(bytes) / rate));
    free_at = std::max(free_at, now + round_trip) + transfer;
    return free_at;
  }
  // `count` requests, `at_once` of them under way.
  void run(int count, std::size_t at_once, std::uint64_t bytes) {
    struct Request {
      Time begun, answered;
    };
    std::deque<Request> flying;
    for (int i = 0; i < count || !flying.empty();) {
      if (i < count && flying.size() < at_once) {
        estimate.began(now);
        flying.push_back({now, answer_at(bytes)});
        ++i;
        continue;
      }
      now = flying.front().answered;
      estimate.ended(flying.front().begun, now, bytes);
      flying.pop_front();
    }
  }
};

double milliseconds(LineEstimate::Duration time) {
  return duration<double, std::milli>(time).count();
}

TEST(LineEstimate, GuessesAHomeLineBeforeTheFirstAnswer) {
  const LineEstimate estimate;
  EXPECT_FALSE(estimate.is_measured());
  EXPECT_EQ(estimate.round_trip(), 20ms);
  EXPECT_EQ(estimate.delay_product(), 640'000U);
}

TEST(LineEstimate, LearnsTheRoundTripFromSmallRequests) {
  Line line;
  line.round_trip = 70ms;
  line.run(5, 1, 1000);
  EXPECT_TRUE(line.estimate.is_measured());
  EXPECT_NEAR(milliseconds(line.estimate.round_trip()), 70, 1);
}

TEST(LineEstimate, LearnsTheRateFromAFullLine) {
  Line line;
  line.run(1, 1, 1000);
  line.run(100, 16, 300'000);
  EXPECT_NEAR(line.estimate.bytes_per_second(), 100e6, 15e6);
  EXPECT_NEAR(static_cast<double>(line.estimate.delay_product()), 2e6, 4e5);
}

TEST(LineEstimate, RisesUntilMoreUnderWayBringsNoMore) {
  Line line;
  EXPECT_TRUE(line.estimate.is_rising());
  line.run(1, 1, 1000);
  for (int i = 0; i < 20; ++i) line.run(6, 2, 300'000);
  EXPECT_FALSE(line.estimate.is_rising());
  line.run(12, 6, 300'000);
  EXPECT_TRUE(line.estimate.is_rising());
  line.run(200, 16, 300'000);
  line.run(200, 16, 300'000);
  EXPECT_FALSE(line.estimate.is_rising());
}

// Readers that request little at a time do not show how much the line could carry.
TEST(LineEstimate, IsNotLedAstrayByReadersThatWaitForEachAnswer) {
  Line line;
  line.run(1, 1, 1000);
  line.run(50, 1, 200'000);
  EXPECT_GT(line.estimate.bytes_per_second(), 35e6);
}

// Many answers that arrive together to requests made together do not mean a fast line.
TEST(LineEstimate, IsNotLedAstrayByAnswersThatComeTogether) {
  Line line;
  line.run(1, 1, 1000);
  for (int round = 0; round < 40; ++round) {
    const Time begun = line.now;
    for (int i = 0; i < 12; ++i) line.estimate.began(begun);
    line.now += 120ms;
    for (int i = 0; i < 12; ++i) line.estimate.ended(begun, line.now, 1'000'000);
  }
  EXPECT_LT(line.estimate.bytes_per_second(), 130e6);
  // The requests overlap with others, so that the line is never idle.
  std::deque<Time> flying;
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 6; ++i) {
      line.estimate.began(line.now);
      flying.push_back(line.now);
    }
    line.now += 60ms;
    if (round == 0) continue;
    for (int i = 0; i < 6; ++i) {
      line.estimate.ended(flying.front(), line.now, 1'000'000);
      flying.pop_front();
    }
  }
  EXPECT_LT(line.estimate.bytes_per_second(), 130e6);
}

TEST(LineEstimate, ForgetsALineThatWasBetterHalfAMinuteAgo) {
  Line line;
  line.run(1, 1, 1000);
  line.run(100, 16, 300'000);
  line.round_trip = 100ms;
  line.rate = 2e6;
  for (int i = 0; i < 40; ++i) line.run(5, 4, 300'000);
  EXPECT_GE(line.estimate.round_trip(), 100ms);
  EXPECT_LT(line.estimate.bytes_per_second(), 6e6);
}

TEST(LineEstimate, LearnsNothingFromFailedRequests) {
  LineEstimate estimate;
  const Time now = Time() + 1h;
  estimate.began(now);
  estimate.ended(now, now + 1us, 0);
  EXPECT_FALSE(estimate.is_measured());
}

TEST(LineEstimate, KeepsTheProductWithinItsBounds) {
  Line near;
  near.round_trip = 10us;
  near.run(5, 1, 1000);
  EXPECT_EQ(near.estimate.delay_product(), LineEstimate::kLeastProduct);
  Line far;
  far.round_trip = 3s;
  far.run(100, 50, 1 << 20);
  EXPECT_EQ(far.estimate.delay_product(), LineEstimate::kMostProduct);
}

}  // namespace
}  // namespace restree
