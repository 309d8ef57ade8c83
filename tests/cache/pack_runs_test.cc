#include "cache/pack_runs.h"

#include <gtest/gtest.h>

#include "tests/cache/numbered_packs.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

constexpr std::size_t kProduct = 2 << 20;  // 20 ms, 100 MB/s
constexpr std::uint32_t kPackEnd = 16 << 20;

BlobLocation at(std::uint64_t offset, std::uint32_t length, int number = 1) {
  return {pack(number), static_cast<std::uint32_t>(offset), length, 0, kPackEnd};
}

std::uint64_t end_of(ByteRange range) { return range.offset + range.length; }

bool contains(ByteRange range, const BlobLocation& place) {
  return range.offset <= place.offset && end_of(range) >= place.offset + place.length;
}

// A reader that wants blobs in order. Counts the bytes that are fetched for it, and how often it
// has to wait because the blob was not fetched ahead.
struct Reader {
  PackRuns runs;
  std::uint64_t have_until = 0;
  std::uint64_t fetched = 0;
  int waits = 0;

  void want(std::uint64_t offset, std::uint32_t length) {
    const bool missing = offset + length > have_until;
    const ByteRange range = runs.note(at(offset, length), BlobType::kData, missing, kProduct);
    if (missing) {
      ++waits;
      ASSERT_TRUE(contains(range, at(offset, length)));
    }
    if (range.length == 0) return;
    fetched += end_of(range) - std::max(range.offset, have_until);
    have_until = std::max(have_until, end_of(range));
  }
};

TEST(PackRuns, ASmallBlobComesWithTheBytesThatFollow) {
  PackRuns runs;
  const ByteRange range = runs.note(at(5000, 2000), BlobType::kData, true, kProduct);
  EXPECT_EQ(range.offset, 5000U);
  EXPECT_EQ(range.length, kProduct / 4);
}

TEST(PackRuns, OnALineWithoutDelayItComesWithLess) {
  PackRuns runs;
  EXPECT_EQ(runs.note(at(0, 2000), BlobType::kData, true, 1000).length, 64U << 10);
}

TEST(PackRuns, NothingIsWantedBeyondTheLastBlobOfThePack) {
  PackRuns runs;
  const BlobLocation last = at(kPackEnd - 3000, 2000);
  EXPECT_EQ(end_of(runs.note(last, BlobType::kData, true, kProduct)), kPackEnd);
  EXPECT_EQ(end_of(runs.note(last, BlobType::kTree, true, kProduct)), kPackEnd);
  BlobLocation unknown = at(0, 2000, 2);
  unknown.pack_end = 0;
  EXPECT_EQ(end_of(runs.note(unknown, BlobType::kData, true, kProduct)), 2000U);
}

TEST(PackRuns, AReaderThatGoesOnWaitsOnlyOnce) {
  Reader reader;
  for (std::uint64_t offset = 0; offset < 8 << 20; offset += 5000) reader.want(offset, 5000);
  EXPECT_EQ(reader.waits, 1);
}

TEST(PackRuns, LittleMoreIsFetchedThanTwiceTheWantedBytes) {
  for (const std::uint64_t wanted : {5'000U, 50'000U, 300'000U, 1'000'000U, 4'000'000U}) {
    Reader reader;
    for (std::uint64_t offset = 0; offset < wanted; offset += 5000) reader.want(offset, 5000);
    EXPECT_LE(reader.fetched, 2 * wanted + kProduct / 4) << wanted;
  }
}

TEST(PackRuns, SkippingALittleContinuesTheRun) {
  Reader reader;
  for (std::uint64_t offset = 0; offset < 8 << 20; offset += 30'000) reader.want(offset, 10'000);
  EXPECT_EQ(reader.waits, 1);
}

// Two packs take turns, as two packers of a backup have filled them.
TEST(PackRuns, RunsInSeveralPacksDoNotDisturbEachOther) {
  PackRuns runs;
  std::uint64_t have[2] = {0, 0};
  int waits = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    const int number = i % 3 == 0 ? 0 : 1;
    const BlobLocation place = at(i * 6000, 4000, number);
    const bool missing = place.offset + place.length > have[number];
    waits += missing ? 1 : 0;
    const ByteRange range = runs.note(place, BlobType::kData, missing, kProduct);
    if (range.length > 0) have[number] = std::max(have[number], end_of(range));
  }
  EXPECT_EQ(waits, 2);
}

TEST(PackRuns, AChunkOfALargeFileComesAlone) {
  PackRuns runs;
  const BlobLocation chunk = at(1 << 20, 1 << 20);
  const ByteRange range = runs.note(chunk, BlobType::kData, true, kProduct);
  EXPECT_EQ(range.offset, chunk.offset);
  EXPECT_EQ(range.length, chunk.length);
}

TEST(PackRuns, RandomChunksBringNothingElse) {
  PackRuns runs;
  testing::SplitMix64 random(1);
  std::uint64_t wanted = 0;
  std::uint64_t fetched = 0;
  for (int i = 0; i < 1000; ++i) {
    const BlobLocation chunk = at(random() % 15 << 20, 1 << 20, static_cast<int>(random() % 64));
    wanted += chunk.length;
    fetched += runs.note(chunk, BlobType::kData, true, kProduct).length;
  }
  EXPECT_EQ(fetched, wanted);
}

TEST(PackRuns, ATreeComesWithThoseBeforeIt) {
  PackRuns runs;
  const ByteRange range = runs.note(at(4 << 20, 1000), BlobType::kTree, true, kProduct);
  EXPECT_LT(range.offset, (4U << 20) - 1000);
  EXPECT_TRUE(contains(range, at(4 << 20, 1000)));
}

TEST(PackRuns, AWalkThroughTreesBringsMoreAndMore) {
  PackRuns runs;
  std::uint64_t last = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const std::uint64_t length =
        runs.note(at((8U << 20) + i * (1U << 20), 20'000), BlobType::kTree, true, kProduct).length;
    EXPECT_GE(length, last);
    last = length;
  }
  EXPECT_GE(last, 300'000U);
}

TEST(PackRuns, TreesAheadBringMoreOnlyInAPackThatIsWalked) {
  PackRuns runs;
  EXPECT_EQ(runs.walk_on(pack(1), {5 << 20, 30'000}, kProduct).length, 0U);
  runs.note(at(6 << 20, 20'000), BlobType::kTree, true, kProduct);
  const ByteRange range = runs.walk_on(pack(1), {5 << 20, 30'000}, kProduct);
  EXPECT_LT(range.offset, 5U << 20);
  EXPECT_GE(end_of(range), (5U << 20) + 60'000);
  EXPECT_EQ(end_of(runs.walk_on(pack(1), {kPackEnd - 30'000, 30'000}, kProduct)), kPackEnd);
}

TEST(PackRuns, ForgetsOldPacksNotNewOnes) {
  PackRuns runs;
  runs.note(at(0, 1000, 0), BlobType::kData, true, kProduct);
  for (int i = 1; i < 300; ++i) {
    PackId id;
    id.bytes.fill(std::byte{0xff});
    id.bytes[0] = static_cast<std::byte>(i);
    id.bytes[1] = static_cast<std::byte>(i >> 8);
    runs.note({id, 0, 1000, 0, kPackEnd}, BlobType::kData, true, kProduct);
  }
  // Begins anew: the first window again.
  EXPECT_EQ(runs.note(at(600'000, 1000, 0), BlobType::kData, true, kProduct).length, kProduct / 4);
}

}  // namespace
}  // namespace restree
