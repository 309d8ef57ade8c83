// How much of a prune is done at a time, decided from figures.
#include "repo/pruner/prune_rounds.h"

#include <gmock/gmock.h>

#include "tests/pruner/planned.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::SplitMix64;

constexpr std::uint64_t kPack = 16 * kMiB;

// A pack of `mib` of which `copied` are in use.
RepackCost pack(std::uint64_t mib, std::uint64_t copied) {
  return {.copied = {.blobs = copied, .bytes = copied * kMiB}, .pack_bytes = mib * kMiB};
}
RepackCost full(std::uint64_t mib) {
  RepackCost cost = pack(mib, mib);
  cost.gains = false;
  return cost;
}
std::uint64_t need(std::uint64_t copied) {
  return bytes_to_store({.blobs = copied, .bytes = copied * kMiB}, kPack);
}

TEST(BytesToStore, AreNoneForNothing) { EXPECT_EQ(bytes_to_store({}, kPack), 0U); }

TEST(BytesToStore, AreThoseOfTheBlobsAndALittleMore) {
  EXPECT_GT(need(100), 100 * kMiB);
  EXPECT_LT(need(100), 101 * kMiB);
}

// With many small blobs it is the index that counts.
TEST(BytesToStore, CountTheIndexToo) {
  const std::uint64_t blobs = 1'000'000;
  const std::uint64_t bytes = 100 * blobs;
  EXPECT_GT(bytes_to_store({.blobs = blobs, .bytes = bytes}, kPack), bytes + 200 * blobs);
}

TEST(Room, IsWhatIsFreeBeyondWhatStaysFree) {
  EXPECT_EQ(room_for(100, 64), 36U);
  EXPECT_EQ(room_for(64, 64), 0U);
  EXPECT_EQ(room_for(10, 64), 0U);
}

TEST(ChooseRound, TakesAllIfThereIsRoomForAll) {
  const std::vector<RepackCost> packs{pack(16, 15), full(3), pack(16, 1)};
  EXPECT_THAT(choose_round(packs, need(19), kPack), ElementsAre(0, 1, 2));
}

TEST(ChooseRound, TakesFirstWhatGivesMostBack) {
  const std::vector<RepackCost> packs{pack(16, 15), pack(16, 8), pack(16, 2)};
  EXPECT_THAT(choose_round(packs, need(2), kPack), ElementsAre(2));
  EXPECT_THAT(choose_round(packs, need(10), kPack), ElementsAre(1, 2));
}

TEST(ChooseRound, GoesOnToWhatFitsBehindWhatDoesNot) {
  const std::vector<RepackCost> packs{pack(100, 50), pack(4, 3)};
  EXPECT_THAT(choose_round(packs, need(3), kPack), ElementsAre(1));
}

TEST(ChooseRound, IsEmptyIfThereIsNoRoomForAny) {
  const std::vector<RepackCost> packs{pack(16, 15), pack(16, 8)};
  EXPECT_THAT(choose_round(packs, need(7), kPack), IsEmpty());
  EXPECT_THAT(choose_round(packs, 0, kPack), IsEmpty());
}

TEST(ChooseRound, LeavesWhatOnlyBecomesFewerPacksUnlessThereIsRoomForAll) {
  const std::vector<RepackCost> packs{full(1), full(1), pack(16, 8)};
  EXPECT_THAT(choose_round(packs, need(9), kPack), ElementsAre(2));
  EXPECT_THAT(choose_round(packs, need(10), kPack), ElementsAre(0, 1, 2));
}

TEST(ChooseRound, NeverTakesMoreThanThereIsRoomForAndLeavesNothingThatStillFits) {
  SplitMix64 random(5);
  for (int i = 0; i < 300; ++i) {
    std::vector<RepackCost> packs;
    for (std::uint64_t left = random() % 20; left > 0; --left) {
      const std::uint64_t mib = 1 + random() % 30;
      packs.push_back(pack(mib, random() % mib));
    }
    const std::uint64_t room = random() % 200 * kMiB;
    PruneStatistics::Amount sum;
    std::vector<bool> is_taken(packs.size());
    for (const std::size_t chosen : choose_round(packs, room, kPack)) {
      EXPECT_FALSE(is_taken[chosen]);
      is_taken[chosen] = true;
      sum.blobs += packs[chosen].copied.blobs;
      sum.bytes += packs[chosen].copied.bytes;
    }
    EXPECT_LE(bytes_to_store(sum, kPack), room);
    for (std::size_t left = 0; left < packs.size(); ++left) {
      if (is_taken[left]) continue;
      const PruneStatistics::Amount more{.blobs = sum.blobs + packs[left].copied.blobs,
                                         .bytes = sum.bytes + packs[left].copied.bytes};
      EXPECT_GT(bytes_to_store(more, kPack), room);
    }
  }
}

// --- what packs of a plan cost --------------------------------------------------------------------

class RepackCosts : public Planned {
 protected:
  RepackCosts() { allow_no_unused(); }
  PlannedRepack costs() {
    const PrunePlan planned = plan();
    return repack_costs(planned, *index_, rules_);
  }
};

TEST_F(RepackCosts, CountWhatIsCopiedOutOfEachPack) {
  pack(1, {{1}, {2}, {3}});
  pack(2, {{4}, {5}});
  use({1, 2, 4, 5});
  const PlannedRepack repack = costs();
  ASSERT_THAT(repack.packs, ElementsAre(pack_id(1)));
  EXPECT_EQ(repack.costs[0].copied.blobs, 2U);
  EXPECT_EQ(repack.costs[0].copied.bytes, 10 * kMiB);
  EXPECT_EQ(repack.costs[0].pack_bytes, size_of({{1}, {2}, {3}}));
  EXPECT_TRUE(repack.costs[0].gains);
}

TEST_F(RepackCosts, SmallPacksThatAreFullGainNothing) {
  for (std::uint64_t i = 0; i < 12; ++i) pack(i, {{i, 1000}});
  std::set<std::uint64_t> all;
  for (std::uint64_t i = 0; i < 12; ++i) all.insert(i);
  use(all);
  const PlannedRepack repack = costs();
  EXPECT_EQ(repack.packs.size(), 12U);
  EXPECT_THAT(repack.costs, ::testing::Each(::testing::Field(&RepackCost::gains, false)));
  EXPECT_EQ(repack.least_bytes_to_store(kPack), 0U);
}

TEST_F(RepackCosts, WhatIsCompressedAnewGainsSomething) {
  pack(1, {raw(1, BlobType::kTree)});
  use({1});
  const PlannedRepack repack = costs();
  ASSERT_EQ(repack.costs.size(), 1U);
  EXPECT_TRUE(repack.costs[0].gains);
  EXPECT_EQ(repack.least_bytes_to_store(kPack), repack.bytes_to_store(kPack));
}

}  // namespace
}  // namespace restree
