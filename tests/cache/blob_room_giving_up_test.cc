// When a blob that is due gives way to readings that wait.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/cache/blob_room_fixture.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

TEST_F(BlobRoomTest, ABlobWhoseReaderWentAwayGivesWay) {
  make(2, 1);
  read({part(0, 0, 1000)});
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  read_small();
  EXPECT_EQ(room_->figures().waiting, 1U);
  pass_time();
  read_small();
  second.join();
  EXPECT_EQ(blobs_.loads_of(id(1)), 1U);
}

TEST_F(BlobRoomTest, AsManyBlobsAreGivenUpAtOnceAsAReadingNeeds) {
  make(4, 2);
  read({part(0, 0, 1000)});
  read({part(1, 0, 1000)});
  std::jthread waiting([&] { read({part(2, 0, kLarge), part(3, 0, kLarge)}); });
  wait_for_waiting(1);
  pass_time();
  read_small();
  waiting.join();
  EXPECT_EQ(room_->figures().given_up_bytes, 2 * kLarge);
}

// However slow the machine is: those programs come back.
TEST_F(BlobRoomTest, ABlobStaysAsLongAsSomebodyComesForThoseThatAreDue) {
  make(3, 2);
  read({part(0, 0, 1000)});
  read({part(1, 0, 1000)});
  std::jthread waiting([&] { read({part(2, 0, kLarge)}); });
  wait_for_waiting(1);
  for (std::uint64_t begin = 1000; begin + 1000 < kLarge; begin += 1000) {
    now_ = now_.load() + kKept / 2;
    read({part(1, begin, 1000)});
  }
  EXPECT_EQ(room_->figures().waiting, 1U);
  read({part(0, 1000, kLarge - 1000)});
  waiting.join();
  EXPECT_EQ(blobs_.loads(), 3U);
  EXPECT_EQ(room_->figures().given_up_bytes, 0U);
}

TEST_F(BlobRoomTest, ABlobWhoseReaderStoppedGivesWayAlthoughOthersGoOn) {
  make(8, 2);
  read({part(0, 0, 1000)});  // stops here
  for (std::size_t i = 1; i < 6; ++i) read({part(i, 0, kLarge)});
  pass_time();
  read({part(6, 0, kLarge), part(7, 0, kLarge)});
  EXPECT_FALSE(room_->knows(id(0)));
}

TEST_F(BlobRoomTest, ABlobThatItsReaderPassedGivesWayAtOnce) {
  make(3, 1);
  read_at(0, {part(0, 0, 1000)});
  read_at(kPassed + kLarge, {part(1, 0, 1000)});
  read_at(2 * (kPassed + kLarge), {part(2, 0, kLarge)});
  EXPECT_EQ(blobs_.loads(), 3U);
}

TEST_F(BlobRoomTest, ABlobNearItsReaderStays) {
  make(2, 1);
  read_at(0, {part(0, 0, 1000)});
  std::jthread next([&] { read_at(kPassed + kLarge - 1, {part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  read_at(1000, {part(0, 1000, kLarge - 1000)});
  next.join();
  EXPECT_EQ(blobs_.loads(), 2U);
}

TEST_F(BlobRoomTest, WhatWasLoadedAheadOfAReaderThatLeapsBackGivesWayAtOnce) {
  make(10, 4);
  for (std::size_t i = 0; i < 3; ++i) {
    room_->load_ahead(
        {.id = id(i), .blob_bytes = kLarge, .reader = kReader, .offset = 10 * kPassed + i * kLarge},
        Deadline::never());
  }
  read_at(0, {part(5, 0, kLarge), part(6, 0, kLarge)}, false);
  EXPECT_EQ(blobs_.loads(), 5U);
}

// As of programs that look at the beginnings of many large files.
TEST_F(BlobRoomTest, AfterABlobWasGivenUpInVainTheNextAreGivenUpSooner) {
  make(3, 1);
  read({part(0, 0, 1000)});
  std::jthread second([&] { read({part(1, 0, 1000)}); });
  wait_for_waiting(1);
  pass_time();
  read_small();
  second.join();
  std::jthread third([&] { read({part(2, 0, kLarge)}); });
  wait_for_waiting(1);
  now_ = now_.load() + kKept / 2;
  read_small();
  third.join();
  EXPECT_EQ(blobs_.loads_of(id(2)), 1U);
}

TEST_F(BlobRoomTest, AReaderThatComesBackMakesItPatientAgain) {
  make(4, 1);
  read({part(0, 0, 1000)});
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  pass_time();
  read_small();
  second.join();
  read({part(0, 1000, 1000)});
  std::jthread third([&] { read({part(2, 0, kLarge)}); });
  wait_for_waiting(1);
  now_ = now_.load() + kKept / 2;
  read_small();
  EXPECT_EQ(room_->figures().waiting, 1U);
  pass_time();
  read_small();
  third.join();
}

TEST_F(BlobRoomTest, TheFirstThatWaitsLooksForStaleBlobsByItself) {
  make(2, 1);
  room_ = std::make_unique<BlobRoom>(
      blobs_, BlobRoom::Options{.budget_bytes = kWeight,
                                .small_reading_bytes = kSmall,
                                .kept_for_reader = std::chrono::milliseconds(20)});
  auto first = std::make_unique<BlobRoom::Reading>(
      room_->start(std::vector{part(0, 0, 1000)}, {.goes_on = true}));
  value_of(first->load(0, Deadline::never()));
  std::jthread second([&] { read({part(1, 0, kLarge)}); });
  wait_for_waiting(1);
  first.reset();  // due from here on
  second.join();
}

}  // namespace
}  // namespace restree::testing
