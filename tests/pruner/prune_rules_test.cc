// Which packs are repacked, by the rules that options set; and what holds of every plan.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "repo/format/pack_header.h"
#include "tests/pruner/planned.h"
#include "tests/support/split_mix.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using PruneRulesTest = Planned;

// --- what may stay unused ------------------------------------------------------------------------

TEST_F(PruneRulesTest, ThePacksWithMostUnusedAreRepackedUntilLittleIsLeft) {
  pack(1, {{1}, {2, kMiB}});
  pack(2, {{3}, {4, 4 * kMiB}});
  pack(3, {{5}, {6, 2 * kMiB}});
  use({1, 3, 5});
  rules_.max_unused = {.kind = UnusedLimit::Kind::kBytes, .bytes = 3 * kMiB + 1};
  EXPECT_THAT(repacked(), ElementsAre(2));
  rules_.max_unused.bytes = 3 * kMiB;  // what is left has to be less
  EXPECT_THAT(repacked(), ElementsAre(2, 3));
}

TEST_F(PruneRulesTest, APercentageIsOfWhatRemains) {
  const UnusedLimit limit{.kind = UnusedLimit::Kind::kPercent, .percent = 20};
  EXPECT_EQ(limit.of(400), 100);
  EXPECT_EQ(limit.of(403), 100);
  EXPECT_EQ((UnusedLimit{.percent = 0}).of(400), 0);
  EXPECT_EQ((UnusedLimit{}).of(950), 50) << "5% unless something else is said";
}

TEST_F(PruneRulesTest, WithoutALimitOnlyWhollyUnusedPacksGo) {
  rules_.max_unused = {.kind = UnusedLimit::Kind::kUnlimited};
  pack(1, {{1}, {2}});
  pack(2, {{3}});
  use({1});
  EXPECT_THAT(kept(), ElementsAre(1));
  EXPECT_THAT(removed(), ElementsAre(2));
}

TEST_F(PruneRulesTest, OnlyThePacksThatARoundHasAreRepacked) {
  allow_no_unused();
  pack(1, {{1}, {2}});
  pack(2, {{3}, {4}});
  pack(3, {{5}});
  use({1, 3});
  rules_.repack_only = {pack_id(2)};
  EXPECT_THAT(repacked(), ElementsAre(2));
  EXPECT_THAT(kept(), ElementsAre(1));
  EXPECT_THAT(removed(), ElementsAre(3));
  rules_.repack_only = std::vector<PackId>();
  EXPECT_THAT(repacked(), IsEmpty());
}

// Else rounds might have no end.
TEST_F(PruneRulesTest, APackThatIsNewIsNotRepackedAgain) {
  allow_no_unused();
  pack(1, {{1}, {2}});
  pack(2, {{3}, {4}});
  use({1, 3});
  rules_.preferred = {pack_id(2)};
  EXPECT_THAT(repacked(), ElementsAre(1));
}

TEST_F(PruneRulesTest, RepackingEndsBeforeItReachesItsLimit) {
  allow_no_unused();
  pack(1, {{1}, {2}});
  use({1});
  rules_.max_repack_bytes = size_of({{1}, {2}});
  EXPECT_THAT(repacked(), IsEmpty());
  ++rules_.max_repack_bytes;
  EXPECT_THAT(repacked(), ElementsAre(1));
  rules_.max_repack_bytes = 0;
  EXPECT_THAT(repacked(), IsEmpty());
}

// --- trees and mixed packs -----------------------------------------------------------------------

TEST_F(PruneRulesTest, PacksWithTreesAreRepackedWhateverMayStayUnused) {
  rules_.max_unused = {.kind = UnusedLimit::Kind::kUnlimited};
  pack(1, {tree(1), tree(2)});
  pack(2, {{3}, {4}});
  use({1, 3});
  EXPECT_THAT(repacked(), ElementsAre(1));
}

TEST_F(PruneRulesTest, PacksOfTreesAndDataAreTakenApart) {
  pack(1, {tree(1), {2}});
  use({1, 2});
  const PrunePlan plan = this->plan();
  EXPECT_THAT(repacked(), ElementsAre(1));
  EXPECT_EQ(plan.copies.size(), 2);
}

TEST_F(PruneRulesTest, PacksWithTreesComeFirst) {
  allow_no_unused();
  pack(1, {{1}, {2}, {3}});
  pack(2, {tree(4), tree(5, kMiB)});
  use({1, 4});
  rules_.max_repack_bytes = size_of({tree(4), tree(5, kMiB)}) + 1;
  EXPECT_THAT(repacked(), ElementsAre(2));
}

TEST_F(PruneRulesTest, OnlyPacksThatCachesHoldAreRepackedOnDemand) {
  allow_no_unused();
  rules_.only_cacheable = true;
  pack(1, {{1}, {2}});
  pack(2, {tree(3), tree(4)});
  pack(3, {{5}});
  use({1, 3});
  EXPECT_THAT(repacked(), ElementsAre(2));
  EXPECT_THAT(kept(), ElementsAre(1));
  EXPECT_THAT(removed(), ElementsAre(3));
}

// --- compression ---------------------------------------------------------------------------------

TEST_F(PruneRulesTest, TreesThatAreNotCompressedAreRepacked) {
  pack(1, {raw(1, BlobType::kTree)});
  pack(2, {raw(2)});
  use({1, 2});
  EXPECT_THAT(repacked(), ElementsAre(1));
  rules_.format_version = 1;
  EXPECT_THAT(repacked(), IsEmpty());
}

TEST_F(PruneRulesTest, DataThatIsNotCompressedIsRepackedOnDemand) {
  rules_.repack_uncompressed = true;
  rules_.max_unused = {.kind = UnusedLimit::Kind::kUnlimited};
  pack(1, {raw(1), {2}});
  pack(2, {{3}});
  use({1, 2, 3});
  EXPECT_THAT(repacked(), ElementsAre(1));
}

TEST_F(PruneRulesTest, WhatIsNotCompressedYetIsCounted) {
  pack(1, {raw(1)});
  pack(2, {{2}});
  use({1, 2});
  EXPECT_EQ(plan().statistics.uncompressed_bytes, size_of({raw(1)}));
  rules_.repack_uncompressed = true;
  EXPECT_EQ(plan().statistics.uncompressed_bytes, 0);
  rules_ = {.format_version = 1};
  EXPECT_EQ(plan().statistics.uncompressed_bytes, 0) << "nothing can be compressed";
}

// --- small packs ---------------------------------------------------------------------------------

class SmallPacks : public Planned {
 protected:
  // Packs of one blob, all of it used; their numbers begin at `first`.
  void packs(std::uint64_t first, std::uint64_t count, std::uint32_t length) {
    for (std::uint64_t i = first; i < first + count; ++i) {
      pack(i, {{i, length}});
      used_.insert(i);
    }
  }
};

TEST_F(SmallPacks, StayWhileTheyAreFewerThanTen) {
  packs(1, 9, kMiB);
  EXPECT_THAT(repacked(), IsEmpty());
}

TEST_F(SmallPacks, ArePutTogetherOnceThereAreTen) {
  packs(1, 10, kMiB);
  packs(100, 10, 5 * kMiB);
  EXPECT_EQ(repacked().size(), 10);
  EXPECT_EQ(plan().copies.size(), 10);
}

// Four fifths of 4 MiB.
TEST_F(SmallPacks, AreSmallBelowALimitInBytes) {
  packs(1, 10, 3'355'443 - 36 - 41 - 1);
  packs(100, 10, 3'355'443 - 36 - 41);
  EXPECT_THAT(kept(), ElementsAre(100, 101, 102, 103, 104, 105, 106, 107, 108, 109));
}

// 3% of 400 packs are smaller than 100 MiB, so what is smaller than 80 MiB is small.
TEST_F(SmallPacks, AreSmallInComparisonWithTheOthers) {
  packs(1, 11, 79 * kMiB);
  packs(100, 1, 81 * kMiB);
  packs(1000, 388, 100 * kMiB);
  EXPECT_EQ(repacked().size(), 11);
}

TEST_F(SmallPacks, AreThoseBelowTheGivenSize) {
  rules_.small_pack_bytes = 8 * kMiB;
  packs(1, 10, 7 * kMiB);
  packs(100, 1, 9 * kMiB);
  EXPECT_EQ(repacked().size(), 10);
  EXPECT_THAT(kept(), ElementsAre(100));
}

TEST_F(SmallPacks, ThatArePartlyUsedAreRepackedWhateverMayStayUnused) {
  rules_.max_unused = {.kind = UnusedLimit::Kind::kUnlimited};
  pack(1, {{1, kMiB}, {2, kMiB}});
  pack(2, {{3}, {4}});
  use({1, 3});
  EXPECT_THAT(repacked(), ElementsAre(1));
}

// --- what holds of every plan --------------------------------------------------------------------

TEST_F(PruneRulesTest, TheSumsAreRestics) {
  allow_no_unused();
  pack(1, {{1}, {2}});
  pack(2, {{3}});
  pack(3, {{4}, {5}});
  stored_.push_back({pack_id(9), 1000});
  use({1, 4, 5});
  const PruneStatistics sum = plan().statistics;
  EXPECT_EQ(sum.used.blobs, 3);
  EXPECT_EQ(sum.used.bytes, 15 * kMiB) << "without headers";
  EXPECT_EQ(sum.unused.bytes, 10 * kMiB);
  EXPECT_EQ(sum.total().blobs, 5);
  EXPECT_EQ(sum.total().bytes, 25 * kMiB + 1000);
  EXPECT_EQ(sum.all_removed().blobs, 2);
  EXPECT_EQ(sum.all_removed().bytes, 10 * kMiB + 1000);
  EXPECT_EQ(sum.remaining().blobs, 3);
  EXPECT_EQ(sum.remaining_unused_bytes(), 0);
  EXPECT_EQ(sum.packs.used, 1);
  EXPECT_EQ(sum.packs.partly_used, 1);
  EXPECT_EQ(sum.packs.unused, 1);
  EXPECT_EQ(sum.packs.unreferenced, 1);
  EXPECT_EQ(sum.packs.kept, 1);
  EXPECT_EQ(sum.packs.repacked, 1);
  EXPECT_EQ(sum.packs.removed, 1);
}

class AnyRepository : public Planned, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  AnyRepository() : random_(GetParam()) { make(); }
  void make() {
    for (std::uint64_t number = 1; number <= 30; ++number) {
      std::vector<Stored> blobs;
      const std::uint64_t count = 1 + random_() % 6;
      const std::uint64_t kind = random_() % 8;
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t blob = 1 + random_() % 60;  // so there are duplicates, in one pack too
        const bool is_tree = kind == 0 || (kind == 1 && i % 2 == 0);
        blobs.push_back({blob, static_cast<std::uint32_t>(kMiB / 4 * (1 + blob % 16)),
                         is_tree ? BlobType::kTree : BlobType::kData, random_() % 10 != 0});
      }
      pack(number, blobs);
    }
    for (std::uint64_t blob = 1; blob <= 60; ++blob) {
      if (random_() % 3 != 0) used_.insert(blob);
    }
    const std::uint64_t limit = random_() % 4;
    if (limit == 0) allow_no_unused();
    if (limit == 1) rules_.max_unused.percent = 30;
    if (random_() % 3 == 0) rules_.max_repack_bytes = random_() % (200 * kMiB);
    if (random_() % 3 == 0) rules_.small_pack_bytes = random_() % (16 * kMiB);
    rules_.only_cacheable = random_() % 8 == 0;
    rules_.repack_uncompressed = random_() % 4 == 0;
  }
  // The packs with each fate, and from where each blob is copied.
  auto decided() {
    const PrunePlan plan = this->plan();
    std::vector<std::vector<std::uint64_t>> fates;
    for (const PackFate fate : {PackFate::kKeep, PackFate::kRepack, PackFate::kRemove}) {
      fates.push_back(packs_with(fate, plan));
    }
    return std::pair(fates, plan.copies.size());
  }

  testing::SplitMix64 random_;
};

TEST_P(AnyRepository, LosesNoBlobThatIsUsed) {
  const PrunePlan plan = this->plan();
  std::set<std::pair<BlobId, BlobType>> afterwards;
  index_->each_entry([&](std::size_t, const IndexEntry& entry) {
    if (plan.fates[entry.pack_number()] == PackFate::kKeep) {
      afterwards.emplace(entry.id, entry.type());
    }
  });
  for (const std::uint32_t position : plan.copies) {
    const IndexEntry entry = index_->entry(position);
    EXPECT_EQ(plan.fates[entry.pack_number()], PackFate::kRepack);
    EXPECT_TRUE(afterwards.emplace(entry.id, entry.type()).second) << "copied in vain";
  }
  index_->each_entry([&](std::size_t, const IndexEntry& entry) {
    const bool is_used =
        std::ranges::any_of(used_, [&](std::uint64_t blob) { return blob_id(blob) == entry.id; });
    EXPECT_TRUE(!is_used || afterwards.contains({entry.id, entry.type()}));
  });
}

TEST_P(AnyRepository, CountsEveryByte) {
  const PrunePlan plan = this->plan();
  const PruneStatistics& sum = plan.statistics;
  std::uint64_t stored = 0;
  for (const ListedPack& pack : stored_) stored += pack.size_bytes - kPackOverheadBytes;
  index_->each_entry([&](std::size_t, const IndexEntry& entry) {
    stored -= pack_header_entry_bytes(entry.blob());
  });
  EXPECT_EQ(sum.total().bytes, stored);
  EXPECT_EQ(sum.total().blobs, index_->blob_count());
  EXPECT_EQ(sum.packs.kept + sum.packs.repacked + sum.packs.removed, stored_.size());
  EXPECT_EQ(sum.packs.total(), stored_.size());
  if (rules_.max_repack_bytes == UINT64_MAX && !rules_.only_cacheable) {
    EXPECT_LE(sum.remaining_unused_bytes(), rules_.max_unused.of(sum.used.bytes));
  }
}

TEST_P(AnyRepository, IsPrunedAlikeHoweverManyPartsItsIndexHas) {
  const auto expected = decided();
  for (const std::size_t parts : {2U, 3U}) {
    index_.reset();
    stored_.clear();
    numbers_.clear();
    used_.clear();
    rules_ = {};
    builders_ = std::vector<IndexBuilder>(parts);
    random_ = testing::SplitMix64(GetParam());
    make();
    EXPECT_EQ(decided(), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyRepository, ::testing::Range<std::uint64_t>(0, 100));

}  // namespace
}  // namespace restree
