#include "cache/blob_room.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/gate.h"
#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::FailsWith;
using testing::Gate;
using testing::MemoryBlobs;
using testing::value_of;

constexpr std::size_t kLarge = 64 << 10;
constexpr std::size_t kSmall = 1 << 10;
constexpr std::size_t kEntry = 256;  // an entry's memory beside its bytes
constexpr std::size_t kWeight = kLarge + kEntry;

class BlobRoomTest : public ::testing::Test {
 protected:
  static BlobId id(std::size_t number) {
    BlobId id;
    id.bytes.fill(std::byte{7});
    id.bytes[0] = static_cast<std::byte>(number & 255);
    id.bytes[1] = static_cast<std::byte>(number >> 8);
    return id;
  }
  static char letter(std::size_t number) { return static_cast<char>('a' + number % 26); }

  // Blobs 0 to `count` - 1, and room for `at_once` of them.
  void make(std::size_t count, std::size_t at_once, std::size_t sealed_bytes = 0) {
    for (std::size_t i = 0; i < count; ++i) blobs_.put(id(i), std::string(kLarge, letter(i)));
    room_ = std::make_unique<BlobRoom>(
        blobs_, BlobRoom::Options{.budget_bytes = at_once * kWeight,
                                  .small_reading_bytes = kSmall,
                                  .small_bytes = kSmall,
                                  .sealed_bytes = [=](const BlobId&) { return sealed_bytes; },
                                  .kept_for_reader = kKept,
                                  .passed_bytes = kPassed,
                                  .now = [this] { return BlobRoom::Clock::time_point(now_); }});
  }
  BlobRoom::Part part(std::size_t number, std::uint64_t begin, std::uint64_t length) const {
    return {.id = id(number), .blob_bytes = kLarge, .begin = begin, .length = length};
  }
  // Reads parts as one request of a program that reads forward.
  void read(const std::vector<BlobRoom::Part>& parts, BlobRoom::Way way = {.goes_on = true}) {
    BlobRoom::Reading reading = room_->start(parts, way);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const auto found = value_of(reading.load(i, Deadline::never()));
      ASSERT_TRUE(found.is_whole);
      const auto number = std::to_integer<std::size_t>(parts[i].id.bytes[0]) |
                          std::to_integer<std::size_t>(parts[i].id.bytes[1]) << 8;
      const std::string_view text =
          as_text(found.blob->view().subspan(found.begin, parts[i].length));
      EXPECT_EQ(text, std::string(parts[i].length, letter(number)));
    }
    most_ = std::max(most_.load(), room_->figures().used_bytes);
  }
  // As a program that reads a file from there on.
  void read_at(std::uint64_t offset, const std::vector<BlobRoom::Part>& parts,
               bool goes_on = true) {
    read(parts, {.reader = kReader, .offset = offset, .goes_on = goes_on});
  }
  // Reads a file of these blobs in requests that cross their borders, as the kernel does.
  void read_file(std::size_t first, std::size_t count, std::size_t request) {
    const std::uint64_t size = count * kLarge;
    for (std::uint64_t at = 0; at < size;) {
      std::vector<BlobRoom::Part> parts;
      const std::uint64_t end = std::min<std::uint64_t>(size, at + request);
      while (at < end) {
        const std::uint64_t blob = at / kLarge;
        const std::uint64_t length = std::min((blob + 1) * kLarge, end) - at;
        parts.push_back(part(first + blob, at - blob * kLarge, length));
        at += length;
      }
      read(parts);
    }
  }
  void load_ahead(std::size_t number) {
    room_->load_ahead({.id = id(number), .blob_bytes = kLarge}, Deadline::never());
  }
  void wait_for_waiting(std::size_t count) {
    const Deadline by = Deadline::after(60s);
    while (room_->figures().waiting != count && !by.expired()) std::this_thread::yield();
    ASSERT_EQ(room_->figures().waiting, count);
  }
  // A reading that passes all others by.
  void read_small() {
    BlobRoom::Reading reading = room_->start(
        std::vector{BlobRoom::Part{.id = small_, .blob_bytes = 5, .begin = 0, .length = 5}}, {});
    EXPECT_EQ(as_text(*value_of(reading.load(0, Deadline::never())).blob), "small");
  }
  // Until all that is due is stale.
  void pass_time() { now_ = now_.load() + kKept; }

  static constexpr std::chrono::seconds kKept{1000};
  static constexpr std::uint64_t kPassed = 10'000;
  static constexpr std::uint64_t kReader = 5;
  MemoryBlobs blobs_;
  const BlobId small_ = blobs_.add("small");
  std::atomic<BlobRoom::Clock::duration> now_ = BlobRoom::Clock::duration(1h);
  std::atomic<std::size_t> most_ = 0;
  std::unique_ptr<BlobRoom> room_;
};

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
}  // namespace restree
