#include "fs/ahead/read_ahead.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace restree {
namespace {

constexpr ForwardReader::Limits kLimits{.first_window = 100, .largest_window = 800, .slack = 50};

MATCHER(IsNothing, "") { return arg.end <= arg.begin; }
MATCHER_P2(IsFromTo, begin, end, "") {
  *result_listener << arg.begin << " to " << arg.end;
  return arg.begin == std::uint64_t(begin) && arg.end == std::uint64_t(end);
}

class Reader : public ::testing::Test {
 protected:
  Ahead read(std::uint64_t begin, std::uint64_t end) { return reader_.note(begin, end, kLimits); }
  // Goes on in steps of ten to `end`; all that was to be loaded on the way, which must be without
  // gap or overlap.
  Ahead read_steadily(std::uint64_t begin, std::uint64_t end) {
    Ahead all{};
    for (; begin < end; begin += 10) {
      const Ahead ahead = read(begin, begin + 10);
      if (ahead.end <= ahead.begin) continue;
      if (all.end == 0) {
        all.begin = ahead.begin;
      } else {
        EXPECT_EQ(ahead.begin, all.end);
      }
      EXPECT_GE(ahead.begin, begin + 10) << "asks for what is being read";
      EXPECT_LE(ahead.end, begin + 10 + kLimits.largest_window);
      all.end = ahead.end;
    }
    return all;
  }

  ForwardReader reader_;
};

TEST_F(Reader, FromTheStartGetsTheFirstWindowAtOnce) {
  EXPECT_THAT(read(0, 10), IsFromTo(10, 110));
}

TEST_F(Reader, ThatGoesOnNeverGetsTheSameRangeTwice) {
  const Ahead all = read_steadily(0, 10000);
  EXPECT_EQ(all.begin, 10U);
  EXPECT_GE(all.end, 10000 + kLimits.largest_window / 2);
  EXPECT_LE(all.end, 10000 + kLimits.largest_window);
}

TEST_F(Reader, ThatGoesOnAlwaysHasSomethingInHand) {
  std::uint64_t loaded = 0;
  for (std::uint64_t at = 0; at < 5000; at += 10) {
    EXPECT_TRUE(at <= 10 || loaded >= at + 10) << "has to wait at " << at;
    const Ahead ahead = read(at, at + 10);
    if (ahead.end > ahead.begin) loaded = ahead.end;
  }
}

TEST(ForwardReader, InManyStepsAlmostAWindowStaysInHand) {
  ForwardReader::Limits limits = kLimits;
  limits.steps = 8;
  ForwardReader reader;
  std::uint64_t asked = 0;
  for (std::uint64_t begin = 0; begin < 10'000; begin += 10) {
    const Ahead ahead = reader.note(begin, begin + 10, limits);
    if (ahead.end > ahead.begin) asked = ahead.end;
    if (begin < 2000) continue;  // it is still growing
    EXPECT_GE(asked, begin + 10 + limits.largest_window * 7 / 8);
    EXPECT_LE(asked, begin + 10 + limits.largest_window);
  }
}

TEST_F(Reader, ReadsInLargerStepsThanTheWindow) {
  EXPECT_THAT(read(0, 1000), IsFromTo(1000, 1100));
  EXPECT_THAT(read(1000, 2000), IsFromTo(2000, 2200));
}

TEST_F(Reader, ThatLeapsGetsNothingUntilItGoesOnFromThere) {
  read_steadily(0, 1000);
  EXPECT_THAT(read(50000, 50010), IsNothing());
  EXPECT_THAT(read(50010, 50020), IsFromTo(50020, 50120));
}

TEST_F(Reader, ThatLeapsBackGetsNothingUntilItGoesOnFromThere) {
  read_steadily(0, 5000);
  EXPECT_THAT(read(100, 110), IsNothing());
  EXPECT_THAT(read(110, 120), IsFromTo(120, 220));
}

TEST_F(Reader, ThatReadsAtRandomGetsNothing) {
  read(70000, 70010);
  for (const std::uint64_t at : {9000U, 500U, 40000U, 20000U, 60000U, 3000U}) {
    EXPECT_THAT(read(at, at + 10), IsNothing());
  }
}

TEST_F(Reader, ThatStartsFarInsideGetsNothingAtFirst) {
  EXPECT_THAT(read(5000, 5010), IsNothing());
}

TEST_F(Reader, MayBeServedALittleOutOfOrder) {
  // The kernel splits one large read and hands the parts to several threads.
  read_steadily(0, 1000);
  const Ahead late = read(1040, 1050);
  EXPECT_THAT(read(1000, 1010), IsNothing());
  EXPECT_THAT(read(1010, 1040), IsNothing());
  const Ahead next = read_steadily(1050, 3000);
  EXPECT_GE(next.begin, late.end);
  EXPECT_GT(next.end, 3000U);
}

TEST_F(Reader, ThatReadsTheSameAgainGetsNothing) {
  read(0, 10);
  EXPECT_THAT(read(0, 10), IsNothing());
}

TEST(ReadAhead, KeepsReadersApart) {
  ReadAhead readers(kLimits);
  EXPECT_THAT(readers.note(1, 0, 10), IsFromTo(10, 110));
  EXPECT_THAT(readers.note(2, 0, 10), IsFromTo(10, 110));
  EXPECT_THAT(readers.note(1, 0, 10), IsNothing());
}

TEST(ReadAhead, CountsReadersThatAreAtWork) {
  ReadAhead readers(kLimits);
  EXPECT_EQ(readers.active(), 1U);
  for (std::uint64_t inode = 1; inode <= 8; ++inode) readers.note(inode, 0, 10);
  EXPECT_EQ(readers.active(), 8U);
  readers.is_through(3);
  EXPECT_EQ(readers.active(), 7U);
  readers.note(3, 0, 10);
  EXPECT_EQ(readers.active(), 8U);
  // Those that read nothing while another one reads much count no longer.
  for (std::uint64_t at = 10; at < 10'000; at += 10) readers.note(5, at, at + 10);
  EXPECT_EQ(readers.active(), 1U);
}

TEST(ReadAhead, AWindowOfNothingIsNothingAndGrowsAgain) {
  ReadAhead readers(kLimits);
  EXPECT_THAT(readers.note(1, 0, 10, 0), IsNothing());
  EXPECT_TRUE(readers.note(1, 10, 20, 0).goes_on);
  EXPECT_THAT(readers.note(1, 20, 30), IsFromTo(30, 130));
  EXPECT_FALSE(readers.note(1, 5000, 5010).goes_on);
}

TEST(ReadAhead, ForgetsTheReaderThatHasNotReadForLongest) {
  ReadAhead readers(kLimits);
  readers.note(1, 0, 10);
  readers.note(2, 0, 10);
  for (std::uint64_t inode = 3; inode <= ReadAhead::kMostReaders; ++inode)
    readers.note(inode, 0, 10);
  readers.note(1, 10, 20);                           // the most recent now
  readers.note(ReadAhead::kMostReaders + 1, 0, 10);  // one too many: inode 2 has to go
  EXPECT_THAT(readers.note(1, 0, 10), IsNothing());
  EXPECT_THAT(readers.note(2, 0, 10), IsFromTo(10, 110));
}

TEST(ReadAhead, IsUsedByManyThreads) {
  ReadAhead readers(kLimits);
  std::vector<std::jthread> threads;
  for (std::uint64_t thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&readers, thread] {
      for (std::uint64_t i = 0; i < 2000; ++i) readers.note(thread * i, i, i + 1);
    });
  }
}

}  // namespace
}  // namespace restree
