#include "repo/base/thread_pool.h"

#include <atomic>
#include <memory>
#include <new>

#include "tests/support/gate.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::Gate;

TEST(ThreadPool, RunsItsTasksOnSeveralThreads) {
  Gate gate;
  ThreadPool pool(3, 10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pool.try_submit([&] { gate.pass(); }));
  gate.wait_for_arrivals(3);
  gate.open();
}

TEST(ThreadPool, RefusesTasksThatItsQueueCannotHold) {
  Gate gate;
  ThreadPool pool(1, 2);
  EXPECT_TRUE(pool.try_submit([&] { gate.pass(); }));
  gate.wait_for_arrivals(1);
  EXPECT_TRUE(pool.try_submit([] {}));
  EXPECT_TRUE(pool.try_submit([] {}));
  EXPECT_FALSE(pool.try_submit([] {}));
  gate.open();
}

TEST(ThreadPool, WaitsAtItsEndForTasksThatHaveBegun) {
  std::atomic<bool> finished = false;
  Gate gate;
  {
    ThreadPool pool(1, 2);
    EXPECT_TRUE(pool.try_submit([&] {
      gate.pass();
      finished = true;
    }));
    gate.wait_for_arrivals(1);
    gate.open();
  }
  EXPECT_TRUE(finished);
}

TEST(ParallelFor, CallsForEveryIndexOnce) {
  for (const std::size_t threads : {0U, 1U, 4U, 100U}) {
    std::vector<std::atomic<int>> calls(50);
    EXPECT_OK(parallel_for(calls.size(), threads, [&](std::size_t i) -> Status {
      ++calls[i];
      return {};
    }));
    for (const auto& count : calls) EXPECT_EQ(count, 1);
  }
}

TEST(ParallelFor, OfNothingSucceeds) {
  EXPECT_OK(parallel_for(0, 4, [](std::size_t) -> Status {
    return Error(ErrorKind::kInvalid, "must not be called");
  }));
}

TEST(ParallelFor, BeginsNoFurtherCallAfterAnError) {
  std::atomic<int> calls = 0;
  EXPECT_THAT(parallel_for(1000, 1,
                           [&](std::size_t i) -> Status {
                             ++calls;
                             if (i == 3) return Error(ErrorKind::kCorrupt, "the fourth");
                             return {};
                           }),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_EQ(calls, 4);
}

TEST(ParallelFor, MemoryThatIsRefusedToACallIsAnError) {
  for (const std::size_t threads : {1U, 4U}) {
    EXPECT_THAT(parallel_for(10, threads,
                             [](std::size_t i) -> Status {
                               if (i == 5) throw std::bad_alloc();
                               return {};
                             }),
                FailsWith(ErrorKind::kLocalIo));
  }
}

}  // namespace
}  // namespace restree
