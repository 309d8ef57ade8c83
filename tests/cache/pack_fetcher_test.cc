#include "cache/pack_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "repo/storage/memory_storage.h"
#include "tests/support/gate.h"
#include "tests/support/matchers.h"
#include "tests/support/split_mix.h"
#include "tests/support/watched_storage.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::Gate;
using testing::Holds;
using testing::split_mix_bytes;
using testing::SplitMix64;
using testing::value_of;
using testing::WatchedStorage;

constexpr std::size_t kPackBytes = 4 << 20;

class PackFetcherTest : public ::testing::Test {
 protected:
  PackFetcherTest() {
    for (int number = 0; number < 3; ++number) {
      const Bytes bytes = split_mix_bytes(static_cast<std::uint64_t>(number), kPackBytes);
      const std::string& content = packs_.emplace_back(as_text(bytes));
      const auto written =
          memory_->write({FileType::kPack, id(number).hex()}, as_bytes(content), soon());
      EXPECT_TRUE(written.has_value());
    }
  }

  static Deadline soon() { return Deadline::after(60s); }
  static PackId id(int number) {
    PackId id;
    id.bytes.fill(static_cast<std::byte>(number + 1));
    return id;
  }
  static BlobLocation at(std::uint32_t offset, std::uint32_t length, int number = 0) {
    return {id(number), offset, length, 0, kPackBytes};
  }
  std::string content(const BlobLocation& place) const {
    const int number = std::to_integer<int>(place.pack.bytes[0]) - 1;
    return packs_[static_cast<std::size_t>(number)].substr(place.offset, place.length);
  }
  std::unique_ptr<PackFetcher> make(FetchOptions options = {}) {
    return std::make_unique<PackFetcher>(storage_, options);
  }
  Result<Bytes> read(PackFetcher& fetcher, const BlobLocation& place) {
    return fetcher.read(place, BlobType::kData, soon());
  }
  void hold_up_at(Gate& gate) {
    storage_->watch([&gate](const FileName&) {
      gate.pass();
      return Status();
    });
  }
  static void wait_for(const PackFetcher& fetcher, std::uint64_t FetchFigures::*figure,
                       std::uint64_t count) {
    const Deadline by = Deadline::after(30s);
    while (fetcher.figures().*figure < count && !by.expired()) std::this_thread::yield();
    ASSERT_GE(fetcher.figures().*figure, count);
  }
  static void wait_for_requests(const PackFetcher& fetcher, std::uint64_t count) {
    wait_for(fetcher, &FetchFigures::requests, count);
  }

  std::vector<std::string> packs_;
  std::shared_ptr<MemoryStorage> memory_ = std::make_shared<MemoryStorage>();
  std::shared_ptr<WatchedStorage> storage_ = std::make_shared<WatchedStorage>(memory_);
};

TEST_F(PackFetcherTest, GivesExactlyTheBytesThatAreWanted) {
  const auto fetcher = make();
  SplitMix64 random(2);
  for (int i = 0; i < 500; ++i) {
    const auto offset = static_cast<std::uint32_t>(random() % (kPackBytes - 5000));
    const BlobLocation place =
        at(offset, static_cast<std::uint32_t>(1 + random() % 5000), static_cast<int>(random() % 3));
    EXPECT_THAT(read(*fetcher, place), Holds(content(place)));
  }
}

TEST_F(PackFetcherTest, NeighboursOfASmallBlobNeedNoRequestOfTheirOwn) {
  const auto fetcher = make();
  for (std::uint32_t offset = 0; offset < 100'000; offset += 1000) {
    EXPECT_THAT(read(*fetcher, at(offset, 1000)), Holds(content(at(offset, 1000))));
  }
  EXPECT_LE(storage_->reads(FileType::kPack), 5U);
}

TEST_F(PackFetcherTest, WhatWasToldToBeWantedIsThereWhenItIs) {
  const auto fetcher = make();
  const std::vector<BlobLocation> wanted = {at(0, 500'000), at(500'000, 600'000), at(0, 1000, 1)};
  fetcher->want(wanted, BlobType::kData);
  wait_for_requests(*fetcher, 3);
  const std::size_t before = storage_->reads();
  for (const BlobLocation& place : wanted) {
    EXPECT_THAT(read(*fetcher, place), Holds(content(place)));
  }
  EXPECT_EQ(storage_->reads(), before);
  const FetchFigures figures = fetcher->figures();
  EXPECT_EQ(figures.ahead_bytes, 1'101'000U);
  EXPECT_EQ(figures.ahead_used_bytes, 1'101'000U);
  EXPECT_EQ(figures.wasted_bytes, 0U);
}

// One directory after the other, each of which tells of the trees below it, as `find` goes.
TEST_F(PackFetcherTest, AWalkThroughTreesNeedsFewRequests) {
  const auto fetcher = make();
  constexpr std::uint32_t kTree = 2000;
  for (std::uint32_t directory = 0; directory < 100; ++directory) {
    std::vector<BlobLocation> below;
    for (std::uint32_t i = 0; i < 10; ++i) below.push_back(at((directory * 10 + i) * kTree, kTree));
    fetcher->want(below, BlobType::kTree);
    for (const BlobLocation& place : below) {
      EXPECT_THAT(fetcher->read(place, BlobType::kTree, soon()), Holds(content(place)));
    }
  }
  EXPECT_LE(storage_->reads(), 75U);  // one for each, did nobody walk on
}

TEST_F(PackFetcherTest, NeighboursThatTakeTurnsBetweenPacksShareRequests) {
  const auto fetcher = make();
  std::vector<BlobLocation> wanted;
  for (std::uint32_t i = 0; i < 100; ++i)
    wanted.push_back(at(i * 1000, 1000, static_cast<int>(i % 2)));
  fetcher->want(wanted, BlobType::kData);
  wait_for_requests(*fetcher, 2);
  EXPECT_EQ(storage_->reads(), 2U);
  // Each of them from the first to the last that is wanted of its pack: nothing is left to ask for.
  EXPECT_EQ(fetcher->figures().bytes, 2 * 99'000U);
}

// As a backup whose threads have done with them in another order writes small files.
TEST_F(PackFetcherTest, NeighboursInAnyOrderShareRequests) {
  const auto fetcher = make();
  constexpr std::uint32_t kEach = 3000;
  std::vector<BlobLocation> wanted;
  for (std::uint32_t i = 0; i < 40; ++i) {
    const std::uint32_t place = i * 7 % 40;
    wanted.push_back(at(place % 20 * kEach, kEach, place < 20 ? 0 : 1));
  }
  fetcher->want(wanted, BlobType::kData);
  wait_for_requests(*fetcher, 2);
  EXPECT_EQ(fetcher->figures().bytes, 40U * kEach);
  for (const BlobLocation& place : wanted) {
    EXPECT_THAT(read(*fetcher, place), Holds(content(place)));
  }
}

TEST_F(PackFetcherTest, AReaderJoinsARequestThatIsUnderWay) {
  Gate gate;
  hold_up_at(gate);
  const auto fetcher = make();
  const BlobLocation place = at(0, 500'000);
  fetcher->want(std::vector{place}, BlobType::kData);
  gate.wait_for_arrivals(1);
  std::jthread reader([&] { EXPECT_THAT(read(*fetcher, place), Holds(content(place))); });
  wait_for(*fetcher, &FetchFigures::joined, 1);
  EXPECT_EQ(gate.arrived(), 1U);
  gate.open();
  reader.join();
  EXPECT_EQ(storage_->reads(), 1U);
}

// The first takes it away with its bytes; the others find that out and ask for it again.
TEST_F(PackFetcherTest, ReadersWhoWaitForTheSameAllGetIt) {
  const auto fetcher = make();
  for (int round = 0; round < 50; ++round) {
    const BlobLocation place = at(static_cast<std::uint32_t>(round) * 70'000, 60'000);
    fetcher->want(std::vector{place}, BlobType::kData);
    std::vector<std::jthread> readers;
    for (int i = 0; i < 6; ++i) {
      readers.emplace_back([&] { EXPECT_THAT(read(*fetcher, place), Holds(content(place))); });
    }
  }
}

TEST_F(PackFetcherTest, AReaderDoesNotQueueBehindWhatIsFetchedAhead) {
  Gate gate;
  std::atomic<bool> held = true;
  storage_->watch([&](const FileName& file) {
    if (file.name == id(0).hex() && held) gate.pass();
    return Status();
  });
  const auto fetcher = make({.threads = 1});
  fetcher->want(std::vector{at(0, 500'000), at(0, 400'000, 1)}, BlobType::kData);
  gate.wait_for_arrivals(1);
  // Waits behind the other for the only thread: the reader takes it over.
  EXPECT_THAT(read(*fetcher, at(0, 400'000, 1)), Holds(content(at(0, 400'000, 1))));
  // And what nobody has thought of goes its own way.
  EXPECT_THAT(read(*fetcher, at(7000, 3000, 2)), Holds(content(at(7000, 3000, 2))));
  held = false;
  gate.open();
}

TEST_F(PackFetcherTest, WhatFailsAheadIsAskedForAgainByWhoWantsIt) {
  std::atomic<int> failures = 1;
  storage_->watch([&](const FileName&) -> Status {
    if (failures-- > 0) return Error(ErrorKind::kUnavailable, "the line is cut");
    return {};
  });
  const auto fetcher = make();
  fetcher->want(std::vector{at(0, 500'000)}, BlobType::kData);
  wait_for_requests(*fetcher, 1);
  EXPECT_EQ(fetcher->figures().failed, 1U);
  EXPECT_THAT(read(*fetcher, at(0, 500'000)), Holds(content(at(0, 500'000))));
}

TEST_F(PackFetcherTest, WhatFailsForAReaderIsHisErrorAndNobodyElses) {
  storage_->watch(
      [&](const FileName&) -> Status { return Error(ErrorKind::kUnavailable, "the line is cut"); });
  const auto fetcher = make();
  EXPECT_THAT(read(*fetcher, at(0, 1000)), FailsWith(ErrorKind::kUnavailable));
  storage_->watch(nullptr);
  EXPECT_THAT(read(*fetcher, at(0, 1000)), Holds(content(at(0, 1000))));
}

TEST_F(PackFetcherTest, AReaderWhoseTimeIsUpLeavesARequestThatGoesOn) {
  Gate gate;
  hold_up_at(gate);
  const auto fetcher = make();
  const BlobLocation place = at(0, 500'000);
  fetcher->want(std::vector{place}, BlobType::kData);
  gate.wait_for_arrivals(1);
  EXPECT_THAT(fetcher->read(place, BlobType::kData, Deadline::after(10ms)),
              FailsWith(ErrorKind::kUnavailable));
  gate.open();
  EXPECT_THAT(read(*fetcher, place), Holds(content(place)));
}

// The index names more than there is: what is there must be readable.
TEST_F(PackFetcherTest, ABlobBeforeTheCutOfAPackIsRead) {
  ASSERT_OK(memory_->write({FileType::kPack, id(0).hex()},
                           as_bytes(std::string_view(packs_[0]).substr(0, 10'000)), soon()));
  const auto fetcher = make();
  EXPECT_THAT(read(*fetcher, at(8000, 2000)), Holds(content(at(8000, 2000))));
  EXPECT_THAT(read(*fetcher, at(9000, 2000)), FailsWith(ErrorKind::kCorrupt));
}

TEST_F(PackFetcherTest, WhatWasRejectedIsReadAnew) {
  const auto fetcher = make();
  EXPECT_THAT(read(*fetcher, at(0, 1000)), Holds(content(at(0, 1000))));
  std::string other = packs_[0];
  other.replace(1000, 1000, std::string(1000, 'x'));
  ASSERT_OK(memory_->write({FileType::kPack, id(0).hex()}, as_bytes(other), soon()));
  EXPECT_THAT(read(*fetcher, at(1000, 500)), Holds(content(at(1000, 500))));
  fetcher->reject(at(1000, 500));
  EXPECT_THAT(read(*fetcher, at(1000, 500)), Holds(std::string(500, 'x')));
}

TEST_F(PackFetcherTest, HoldsNoMoreThanItMay) {
  Gate gate;
  hold_up_at(gate);
  const auto fetcher =
      make({.budgets = {.data_bytes = 1 << 20, .tree_bytes = 1 << 20}, .threads = 1});
  std::vector<BlobLocation> wanted;
  for (std::uint32_t offset = 0; offset + 400'000 <= kPackBytes; offset += 400'000) {
    wanted.push_back(at(offset, 400'000));
  }
  fetcher->want(wanted, BlobType::kData);
  // Trees have room of their own. The only thread takes what is wanted in turn, so one more piece
  // of data would have come before this.
  const BlobLocation last = at(0, 100'000, 1);
  fetcher->want(std::vector{last}, BlobType::kTree);
  gate.wait_for_arrivals(1);
  gate.open();
  wait_for_requests(*fetcher, 3);
  EXPECT_EQ(fetcher->figures().bytes, 2 * 400'000U + last.length);
}

TEST_F(PackFetcherTest, HoldsNoMoreThanItMayOfWhatCameAlong) {
  constexpr std::size_t kBudget = 512 << 10;
  const auto fetcher = make({.budgets = {.data_bytes = kBudget, .tree_bytes = 1 << 20}});
  std::uint64_t used = 0;
  for (std::uint32_t offset = 0; offset + 1000 <= kPackBytes; offset += 400'000) {
    for (int number = 0; number < 3; ++number) {
      EXPECT_THAT(read(*fetcher, at(offset, 1000, number)),
                  Holds(content(at(offset, 1000, number))));
      used += 1000;
    }
  }
  const FetchFigures figures = fetcher->figures();
  // Neighbours came along until there was no room for more of them.
  EXPECT_GT(figures.bytes - used, kBudget / 4 * 3);
  EXPECT_LE(figures.bytes - used - figures.wasted_bytes, kBudget);
}

// However much the others ask for meanwhile: its reader would have to fetch it again.
TEST_F(PackFetcherTest, WhatWasFetchedAheadStaysForItsReader) {
  const auto fetcher =
      make({.budgets = {.data_bytes = 512 << 10, .tree_bytes = 1 << 20}, .kept = 1h});
  const BlobLocation ahead = at(0, 500'000);
  fetcher->want(std::vector{ahead}, BlobType::kData);
  wait_for_requests(*fetcher, 1);
  std::uint64_t sum = ahead.length;
  for (std::uint32_t offset = 0; offset + 400'000 <= kPackBytes; offset += 400'000) {
    const BlobLocation place = at(offset, 400'000, 1);
    EXPECT_THAT(read(*fetcher, place), Holds(content(place)));
    sum += place.length;
  }
  EXPECT_THAT(read(*fetcher, ahead), Holds(content(ahead)));
  EXPECT_EQ(fetcher->figures().bytes, sum);
  EXPECT_EQ(fetcher->figures().wasted_bytes, 0U);
}

TEST_F(PackFetcherTest, WhatNobodyReadsForLongGivesWay) {
  std::atomic<Deadline::Clock::duration> now = Deadline::Clock::duration(1h);
  const auto fetcher = make({.budgets = {.data_bytes = 512 << 10, .tree_bytes = 1 << 20},
                             .now = [&] { return Deadline::Clock::time_point(now); }});
  const BlobLocation ahead = at(0, 500'000);
  const BlobLocation other = at(0, 500'000, 1);
  fetcher->want(std::vector{ahead}, BlobType::kData);
  wait_for_requests(*fetcher, 1);
  now = Deadline::Clock::duration(2h);
  fetcher->want(std::vector{other}, BlobType::kData);
  EXPECT_EQ(fetcher->figures().wasted_bytes, ahead.length);
  wait_for_requests(*fetcher, 2);
}

TEST_F(PackFetcherTest, WhileReadersWaitForMemoryWhatTheyWillReadDoesNotGrowOld) {
  std::atomic<Deadline::Clock::duration> now = Deadline::Clock::duration(1h);
  const auto fetcher = make({.budgets = {.data_bytes = 512 << 10, .tree_bytes = 1 << 20},
                             .now = [&] { return Deadline::Clock::time_point(now); }});
  const BlobLocation ahead = at(0, 500'000);
  fetcher->want(std::vector{ahead}, BlobType::kData);
  wait_for_requests(*fetcher, 1);
  now = Deadline::Clock::duration(2h);
  fetcher->readers_wait();
  fetcher->want(std::vector{at(0, 500'000, 1)}, BlobType::kData);
  EXPECT_EQ(fetcher->figures().wasted_bytes, 0U);
  EXPECT_THAT(read(*fetcher, ahead), Holds(content(ahead)));
  EXPECT_EQ(fetcher->figures().bytes, ahead.length);
}

TEST_F(PackFetcherTest, TheStorageIsToldOfEachPackThatIsExpectedAndNothingIsRead) {
  const auto fetcher = make();
  fetcher->expect(std::vector{at(0, 100), at(200, 100), at(0, 100, 2)});
  EXPECT_THAT(storage_->expected(), ElementsAre(id(0).hex(), id(2).hex()));
  EXPECT_EQ(storage_->reads(), 0U);
}

TEST_F(PackFetcherTest, ManyReadersGetTheirBytesWhileWindowsMove) {
  const auto fetcher = make({.budgets = {.data_bytes = 512 << 10, .tree_bytes = 64 << 10}});
  std::vector<std::jthread> readers;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    readers.emplace_back([&, seed] {
      SplitMix64 random(seed);
      std::uint32_t offset = 0;
      for (int i = 0; i < 400; ++i) {
        const auto length = static_cast<std::uint32_t>(1 + random() % 20'000);
        offset = random() % 10 == 0 ? static_cast<std::uint32_t>(random()) : offset + length;
        const auto begin = static_cast<std::uint32_t>(offset % (kPackBytes - 60'000));
        const BlobLocation place = at(begin, length, static_cast<int>(random() % 3));
        const BlobType type = random() % 4 == 0 ? BlobType::kTree : BlobType::kData;
        if (random() % 5 == 0) fetcher->want(std::vector{place}, type);
        EXPECT_THAT(fetcher->read(place, type, soon()), Holds(content(place)));
        if (random() % 50 == 0) fetcher->reject(place);
      }
    });
  }
}

}  // namespace
}  // namespace restree
