#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cache/blob_room_fixture.h"
#include "tests/support/gate.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

TEST_F(BlobRoomTest, EachOfManyReadersLoadsEachOfItsBlobsOnce) {
  constexpr std::size_t kReaders = 64;
  constexpr std::size_t kBlobs = 4;
  make(kReaders * kBlobs, 3);
  {
    std::vector<std::jthread> readers;
    for (std::size_t i = 0; i < kReaders; ++i) {
      readers.emplace_back([&, i] { read_file(i * kBlobs, kBlobs, 20'000); });
    }
  }
  EXPECT_EQ(blobs_.loads(), kReaders * kBlobs);
  // The budget, its part for copied ends, and one reading past it.
  EXPECT_LE(most_, 3 * kWeight * 5 / 4 + kWeight);
  EXPECT_EQ(room_->figures().given_up_bytes, 0U);
}

// The kernel asks for several stretches of a file at once: the one that ends a blob waits before
// the one that begins it has loaded it.
TEST_F(BlobRoomTest, RequestsOfAFileThatWaitTogetherLoadEachBlobOnce) {
  constexpr std::size_t kReaders = 6;
  make(2 * kReaders, 2);
  Gate gate;
  blobs_.on_load = [&](const BlobId&) { gate.pass(); };
  std::vector<std::jthread> requests;
  const auto request = [&](std::vector<BlobRoom::Part> parts) {
    requests.emplace_back([this, parts = std::move(parts)] { read(parts); });
  };
  for (std::size_t i = 0; i < kReaders; ++i) request({part(2 * i, 0, 40'000)});
  wait_for_waiting(kReaders - 2);
  for (std::size_t i = 0; i < kReaders; ++i) {
    request({part(2 * i, 40'000, kLarge - 40'000), part(2 * i + 1, 0, 20'000)});
    request({part(2 * i + 1, 20'000, kLarge - 20'000)});
  }
  wait_for_waiting(3 * kReaders - 2);
  gate.open();
  requests.clear();
  EXPECT_EQ(blobs_.loads(), 2 * kReaders);
  EXPECT_EQ(room_->figures().given_up_bytes, 0U);
}

TEST_F(BlobRoomTest, AWaitingReadingBeginsWhenAnotherHasLoadedWhatItWants) {
  make(3, 1);
  Gate gate;
  blobs_.on_load = [&](const BlobId&) { gate.pass(); };
  std::jthread first([&] { read({part(0, 0, 40'000)}); });
  gate.wait_for_arrivals(1);
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  std::jthread third([&] { read({part(1, 0, 1000)}); });
  wait_for_waiting(2);
  gate.open();
  first.join();
  read({part(0, 40'000, kLarge - 40'000)});
  second.join();
  third.join();
  EXPECT_EQ(blobs_.loads(), 2U);
}

TEST_F(BlobRoomTest, ABlobThatIsReadInPiecesStaysUntilItsEndWasRead) {
  make(10, 2);
  read({part(0, 0, 1000)});
  std::jthread others([&] {
    for (std::size_t i = 1; i < 10; ++i) read({part(i, 0, kLarge)});
  });
  others.join();
  read({part(0, 1000, kLarge - 1000)});
  EXPECT_EQ(blobs_.loads_of(id(0)), 1U);
}

TEST_F(BlobRoomTest, RequestsMayComeInAnotherOrder) {
  make(10, 2);
  read({part(0, 15'000, 15'000)});
  read({part(0, 0, 15'000)});
  read({part(0, kLarge - 15'000, 15'000)});
  for (std::size_t i = 1; i < 10; ++i) read({part(i, 0, kLarge)});
  read({part(0, 30'000, kLarge - 45'000)});
  EXPECT_EQ(blobs_.loads_of(id(0)), 1U);
}

TEST_F(BlobRoomTest, AReadingWaitsForRoom) {
  make(3, 1);
  auto first = std::make_unique<BlobRoom::Reading>(
      room_->start(std::vector{part(0, 0, kLarge)}, {.goes_on = true}));
  value_of(first->load(0, Deadline::never()));
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  EXPECT_EQ(blobs_.loads_of(id(1)), 0U);
  first.reset();
  second.join();
  EXPECT_EQ(blobs_.loads_of(id(1)), 1U);
}

TEST_F(BlobRoomTest, ALoadNeedsRoomForTheSealedFormAsWell) {
  make(2, 3, kLarge);
  auto first = std::make_unique<BlobRoom::Reading>(
      room_->start(std::vector{part(0, 0, kLarge)}, {.goes_on = true}));
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  value_of(first->load(0, Deadline::never()));  // is plain from here on
  second.join();
}

TEST_F(BlobRoomTest, WhatIsHereNeedsNoWait) {
  make(3, 1);
  read({part(0, 0, 1000)});
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  read({part(0, 1000, kLarge - 1000)});
  second.join();
  EXPECT_EQ(blobs_.loads(), 2U);
}

TEST_F(BlobRoomTest, ASmallReadingPassesWaitingOnesBy) {
  make(3, 1);
  auto first = std::make_unique<BlobRoom::Reading>(
      room_->start(std::vector{part(0, 0, kLarge)}, {.goes_on = true}));
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  read_small();
  EXPECT_EQ(room_->figures().waiting, 1U);
  first.reset();
  second.join();
}

TEST_F(BlobRoomTest, AReadingLargerThanTheBudgetBeginsAlone) {
  make(4, 2);
  read({part(0, 0, kLarge), part(1, 0, kLarge), part(2, 0, kLarge)});
  read({part(3, 0, kLarge)});
  EXPECT_EQ(blobs_.loads(), 4U);
}

TEST_F(BlobRoomTest, AFailedLoadGivesItsRoomBack) {
  make(2, 1);
  blobs_.fail(id(0), Error(ErrorKind::kCorrupt, "flipped"));
  {
    BlobRoom::Reading reading = room_->start(std::vector{part(0, 0, kLarge)}, {.goes_on = true});
    EXPECT_THAT(reading.load(0, Deadline::never()), FailsWith(ErrorKind::kCorrupt));
  }
  EXPECT_EQ(room_->figures().used_bytes, 0U);
  read({part(1, 0, kLarge)});
}

TEST_F(BlobRoomTest, ABlobOfAnotherSizeIsFoundOut) {
  make(1, 1);
  blobs_.put(id(0), "short");
  BlobRoom::Reading reading = room_->start(std::vector{part(0, 0, kLarge)}, {.goes_on = true});
  EXPECT_FALSE(value_of(reading.load(0, Deadline::never())).is_whole);
}

TEST_F(BlobRoomTest, ReadingsOfTheSameBlobShareALoad) {
  make(1, 1);
  Gate gate;
  blobs_.on_load = [&](const BlobId&) { gate.pass(); };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 8; ++i) readers.emplace_back([&] { read({part(0, 0, kLarge)}); });
  gate.wait_for_arrivals(1);
  gate.open();
  readers.clear();
  EXPECT_EQ(blobs_.loads(), 1U);
}

TEST_F(BlobRoomTest, WhatIsLoadedAheadStaysUntilItIsRead) {
  make(10, 4);
  load_ahead(0);
  for (std::size_t i = 1; i < 10; ++i) read({part(i, 0, kLarge)});
  EXPECT_TRUE(room_->knows(id(0)));
  read({part(0, 0, kLarge)});
  EXPECT_EQ(blobs_.loads_of(id(0)), 1U);
  // Now it is one of those that were read, and the oldest goes.
  for (std::size_t i = 1; i < 5; ++i) read({part(i, 0, kLarge)});
  EXPECT_FALSE(room_->knows(id(0)));
}

TEST_F(BlobRoomTest, LoadsAheadLeaveRoomForReadings) {
  make(10, 4);
  for (std::size_t i = 0; i < 10; ++i) load_ahead(i);
  EXPECT_EQ(blobs_.loads(), 3U);
  read({part(9, 0, kLarge)});
}

TEST_F(BlobRoomTest, NothingIsLoadedAheadWhileReadingsWait) {
  make(4, 2);
  auto first = std::make_unique<BlobRoom::Reading>(
      room_->start(std::vector{part(0, 0, kLarge), part(1, 0, kLarge)}, {.goes_on = true}));
  std::jthread second([&] { read({part(2, 0, kLarge)}); });
  wait_for_waiting(1);
  EXPECT_TRUE(room_->is_short());
  load_ahead(3);
  EXPECT_FALSE(room_->knows(id(3)));
  first.reset();
  second.join();
}

}  // namespace
}  // namespace restree::testing
