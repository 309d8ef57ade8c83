// A room for a few blobs, and programs that read them as the kernel does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cache/blob_room.h"
#include "tests/support/matchers.h"
#include "tests/support/memory_blobs.h"

namespace restree::testing {

inline constexpr std::size_t kLarge = 64 << 10;
inline constexpr std::size_t kSmall = 1 << 10;
inline constexpr std::size_t kEntry = 256;  // an entry's memory beside its bytes
inline constexpr std::size_t kWeight = kLarge + kEntry;

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
  BlobRoom::Part part(std::size_t number, std::size_t begin, std::size_t length) const {
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
    const Deadline by = Deadline::after(std::chrono::seconds(60));
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
  std::atomic<BlobRoom::Clock::duration> now_ = BlobRoom::Clock::duration(std::chrono::hours(1));
  std::atomic<std::size_t> most_ = 0;
  std::unique_ptr<BlobRoom> room_;
};

}  // namespace restree::testing
