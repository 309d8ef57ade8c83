#include "cache/prefetcher.h"

#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/gate.h"
#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"

namespace restree {
namespace {

using testing::Gate;
using testing::MemoryBlobs;
using testing::value_of;

constexpr std::size_t kBlobBytes = 300 << 10;  // a batch of its own

class PrefetcherTest : public ::testing::Test {
 protected:
  PrefetcherTest() {
    for (int i = 0; i < 20; ++i) blobs_.put(id(i), std::string(kBlobBytes, 'x'));
    blobs_.on_load = [this](const BlobId&) { gate_.pass(); };
  }
  static BlobId id(int number) {
    BlobId id;
    id.bytes.fill(static_cast<std::byte>(number + 1));
    return id;
  }
  static std::vector<Prefetcher::Wanted> wanted(int from, int to) {
    std::vector<Prefetcher::Wanted> list;
    for (int i = from; i < to; ++i) list.push_back({id(i), kBlobBytes});
    return list;
  }
  Prefetcher make(std::size_t threads, std::size_t blobs) {
    return {cache_, threads, blobs * kBlobBytes, std::chrono::seconds(60)};
  }
  void read(int number) {
    const BlobRoom::Part whole{
        .id = id(number), .blob_bytes = kBlobBytes, .begin = 0, .length = kBlobBytes};
    BlobRoom::Reading reading = cache_.start(std::span(&whole, 1), {.goes_on = true});
    value_of(reading.load(0, Deadline::never()));
  }

  MemoryBlobs blobs_;
  Gate gate_;
  BlobRoom cache_{blobs_, {.budget_bytes = 100 << 20}};
};

TEST_F(PrefetcherTest, LoadsWantedBlobsBeforeTheyAreRead) {
  gate_.open();
  auto prefetcher = make(2, 20);
  prefetcher.want(wanted(0, 5));
  gate_.wait_for_arrivals(5);
  for (int i = 0; i < 5; ++i) read(i);
  EXPECT_EQ(blobs_.loads(), 5U);
}

TEST_F(PrefetcherTest, LoadsNoMoreAtATimeThanItHasThreads) {
  auto prefetcher = make(3, 20);
  prefetcher.want(wanted(0, 10));
  gate_.wait_for_arrivals(3);
  EXPECT_EQ(gate_.arrived(), 3U);
  gate_.open();
}

TEST_F(PrefetcherTest, PassesOverBlobsThatExceedItsBudget) {
  auto prefetcher = make(1, 4);
  prefetcher.want(wanted(0, 10));
  prefetcher.want(wanted(10, 20));
  gate_.open();
  for (int i = 0; i < 4; ++i) read(i);
  EXPECT_EQ(blobs_.loads(), 4U);
  for (int i = 4; i < 20; ++i) EXPECT_FALSE(cache_.knows(id(i)));
}

TEST_F(PrefetcherTest, HasItsBudgetBackOnceBlobsAreThere) {
  gate_.open();
  auto prefetcher = make(1, 1);
  for (int i = 0; i < 20; ++i) {
    // The budget is free a moment after the blob is there.
    while (!cache_.knows(id(i))) prefetcher.want(wanted(i, i + 1));
    read(i);
  }
  EXPECT_EQ(blobs_.loads(), 20U);
}

TEST_F(PrefetcherTest, HasItsBudgetBackAlsoAfterFailures) {
  gate_.open();
  for (int i = 0; i < 20; ++i) blobs_.fail(id(i), Error(ErrorKind::kCorrupt, "flipped"));
  auto prefetcher = make(1, 1);
  for (int i = 0; i < 20; ++i) {
    while (!cache_.knows(id(i))) prefetcher.want(wanted(i, i + 1));
  }
  EXPECT_LE(blobs_.loads(), 20U);
}

TEST_F(PrefetcherTest, PassesOverBlobsInTheCache) {
  gate_.open();
  for (int i = 0; i < 5; ++i) read(i);
  {
    auto prefetcher = make(1, 1);
    prefetcher.want(wanted(0, 6));  // only the last one counts towards the budget
    gate_.wait_for_arrivals(6);
  }
  EXPECT_EQ(blobs_.loads(), 6U);
}

TEST_F(PrefetcherTest, EndsWhileLoadsAreUnderWay) {
  auto prefetcher =
      std::make_unique<Prefetcher>(cache_, 2, 20 * kBlobBytes, std::chrono::seconds(60));
  prefetcher->want(wanted(0, 20));
  gate_.wait_for_arrivals(2);
  std::jthread end([&] { prefetcher.reset(); });
  gate_.open();
}

}  // namespace
}  // namespace restree
