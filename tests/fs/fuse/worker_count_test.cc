#include "fs/fuse/worker_count.h"

#include <gtest/gtest.h>

namespace restree {
namespace {

constexpr std::size_t kMany = 3 * WorkerCount::kMostWaiting;

// `kMany` threads, each with a request.
WorkerCount all_at_work() {
  WorkerCount count;
  for (std::size_t i = 0; i < kMany; ++i) {
    count.start();
    EXPECT_TRUE(count.begin_request());
  }
  return count;
}

TEST(WorkerCount, AnotherThreadIsNeededOnceNoneWaits) {
  WorkerCount count;
  count.start();
  count.start();
  EXPECT_FALSE(count.begin_request());
  EXPECT_TRUE(count.begin_request());
}

TEST(WorkerCount, SoManyWaitAndTheRestEnds) {
  WorkerCount count = all_at_work();
  for (std::size_t i = 0; i < kMany; ++i) {
    EXPECT_EQ(count.wait_again(), i < WorkerCount::kMostWaiting) << i;
  }
}

// On a busy machine a thread that is to end may not run for long. Meanwhile those that wait answer
// one request after another: each of them must stay.
TEST(WorkerCount, ThreadsThatAreStillEndingMakeNoOtherEnd) {
  WorkerCount count = all_at_work();
  for (std::size_t i = 0; i < kMany; ++i) count.wait_again();
  for (std::size_t i = 0; i < kMany; ++i) {
    EXPECT_FALSE(count.begin_request());
    EXPECT_TRUE(count.wait_again()) << i;
  }
}

TEST(WorkerCount, AThreadThatHasEndedMakesRoomForAnother) {
  WorkerCount count = all_at_work();
  for (std::size_t i = 0; i < WorkerCount::kMostWaiting; ++i) EXPECT_TRUE(count.wait_again());
  count.stop_waiting();
  EXPECT_TRUE(count.wait_again());
  EXPECT_FALSE(count.wait_again());
}

}  // namespace
}  // namespace restree
