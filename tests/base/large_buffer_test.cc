#include "repo/base/large_buffer.h"

#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "repo/base/free_ranges.h"
#include "tests/support/matchers.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

using testing::SplitMix64;

constexpr std::size_t kMiB = 1 << 20;

TEST(FreeRanges, HandOutTheLowestRangeThatIsLargeEnough) {
  FreeRanges ranges(100);
  EXPECT_EQ(ranges.take(40), 0U);
  EXPECT_EQ(ranges.take(40), 40U);
  EXPECT_EQ(ranges.take(40), std::nullopt);
  EXPECT_EQ(ranges.take(20), 80U);
  EXPECT_EQ(ranges.take(1), std::nullopt);
}

TEST(FreeRanges, JoinAReturnedRangeWithItsFreeNeighbours) {
  FreeRanges ranges(100);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(ranges.take(20));
  for (const std::size_t offset : {20U, 60U, 40U}) ranges.give_back(offset, 20);
  EXPECT_EQ(ranges.sizes_by_offset(), (std::map<std::size_t, std::size_t>{{20, 60}}));
  ranges.give_back(80, 20);
  ranges.give_back(0, 20);
  EXPECT_EQ(ranges.take(100), 0U);
}

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * 4096;
}

// Many buffers of all sizes live at a time; each keeps its content.
TEST(LargeBuffers, DoNotOverlap) {
  std::vector<std::jthread> threads;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    threads.emplace_back([seed] {
      SplitMix64 random(seed);
      struct Buffer {
        std::byte* begin;
        std::size_t size;
        std::byte mark;
      };
      std::deque<Buffer> live;
      for (int i = 0; i < 100; ++i) {
        const std::size_t size = kLargeBufferBytes / 2 + random() % (2 * kMiB);
        const auto mark = static_cast<std::byte>(random());
        live.push_back({allocate_buffer(size), size, mark});
        std::memset(live.back().begin, std::to_integer<int>(mark), size);
        if (live.size() < 12) continue;
        std::swap(live.front(), live[random() % live.size()]);
        const Buffer& freed = live.front();
        // All bytes of a buffer hold the same mark.
        EXPECT_EQ(freed.begin[0], freed.mark);
        EXPECT_EQ(std::memcmp(freed.begin, freed.begin + 1, freed.size - 1), 0);
        free_buffer(freed.begin);
        live.pop_front();
      }
      for (const Buffer& buffer : live) free_buffer(buffer.begin);
    });
  }
}

TEST(LargeBuffers, LargerThanARegionAreWritable) {
  constexpr std::size_t kSize = 100 * kMiB;
  std::byte* const buffer = allocate_buffer(kSize);
  std::memset(buffer, 1, kSize);
  free_buffer(buffer);
}

TEST(LargeBuffers, GiveTheirMemoryBack) {
  const std::size_t before = resident_bytes();
  std::vector<std::byte*> buffers;
  for (int i = 0; i < 150; ++i) {
    buffers.push_back(allocate_buffer(kMiB));
    std::memset(buffers.back(), 1, kMiB);
  }
  // Some of the memory may have been waiting for reuse before.
  EXPECT_GE(resident_bytes(), before + 130 * kMiB);
  for (std::byte* const buffer : buffers) free_buffer(buffer);
#ifndef RESTREE_SANITIZED  // a sanitizer keeps freed memory, to see whether it is used
  EXPECT_LE(resident_bytes(), before + 20 * kMiB);
#endif
}

}  // namespace
}  // namespace restree
