// Which packs stay, go and are repacked: what does not depend on options.
#include <gmock/gmock.h>

#include <map>

#include "tests/pruner/planned.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using PrunePlanTest = Planned;

TEST_F(PrunePlanTest, APackOfWhichAllIsUsedStays) {
  pack(1, {{1}, {2}});
  use({1, 2});
  const PrunePlan plan = this->plan();
  EXPECT_THAT(kept(), ElementsAre(1));
  EXPECT_FALSE(plan.changes_index());
  EXPECT_THAT(plan.copies, IsEmpty());
}

TEST_F(PrunePlanTest, APackOfWhichNothingIsUsedIsRemoved) {
  pack(1, {{1}});
  pack(2, {{2}, {3}});
  use({1});
  const PrunePlan plan = this->plan();
  EXPECT_THAT(removed(), ElementsAre(2));
  EXPECT_TRUE(plan.changes_index());
  EXPECT_EQ(plan.statistics.removed.blobs, 2);
  EXPECT_EQ(plan.statistics.removed.bytes, 10 * kMiB);
}

TEST_F(PrunePlanTest, WhatIsUsedOfAPartlyUsedPackIsCopied) {
  allow_no_unused();
  pack(1, {{1}, {2}, {3}});
  use({1, 3});
  const PrunePlan plan = this->plan();
  EXPECT_THAT(repacked(), ElementsAre(1));
  EXPECT_EQ(copied(plan), (std::map<std::uint64_t, std::uint64_t>{{1, 1}, {3, 1}}));
  EXPECT_EQ(plan.statistics.repack.blobs, 3);
  EXPECT_EQ(plan.statistics.repack.bytes, size_of({{1}, {2}, {3}}));
  EXPECT_EQ(plan.statistics.repack_removed.bytes, 5 * kMiB);
}

TEST_F(PrunePlanTest, AnEmptyRepositoryStaysEmpty) {
  const PrunePlan plan = this->plan();
  EXPECT_FALSE(plan.changes_index());
  EXPECT_EQ(plan.statistics.total().bytes, 0);
}

// --- packs that are not as the index says --------------------------------------------------------

TEST_F(PrunePlanTest, AnOldPackInNoIndexIsRemovedFirst) {
  stored_.push_back({pack_id(9), 1000});
  const PrunePlan plan = this->plan();
  EXPECT_THAT(plan.unindexed, ElementsAre(pack_id(9)));
  EXPECT_FALSE(plan.changes_index());
  EXPECT_EQ(plan.statistics.unreferenced_bytes, 1000);
  EXPECT_EQ(plan.statistics.all_removed().bytes, 1000);
}

TEST_F(PrunePlanTest, AYoungPackInNoIndexStays) {
  stored_.push_back({pack_id(9), 1000, true});
  const PrunePlan plan = this->plan();
  EXPECT_THAT(plan.unindexed, IsEmpty());
  EXPECT_EQ(plan.statistics.young_packs, 1);
  EXPECT_EQ(plan.statistics.young_bytes, 1000);
  EXPECT_EQ(plan.statistics.total().bytes, 0);
}

TEST_F(PrunePlanTest, AYoungPackInTheIndexIsLikeAnyOther) {
  pack(1, {{1}});
  listed(1).is_young = true;
  EXPECT_THAT(removed(), ElementsAre(1));
}

TEST_F(PrunePlanTest, AUsedPackOfAnotherSizeIsAnErrorThatNamesIt) {
  pack(1, {{1}});
  use({1});
  --listed(1).size_bytes;
  const auto plan = try_plan();
  ASSERT_THAT(plan, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(plan.error().message(), HasSubstr(pack_id(1).hex()));
  EXPECT_THAT(plan.error().hint(), HasSubstr("restree repair index"));
}

TEST_F(PrunePlanTest, AnUnusedPackOfAnotherSizeIsRemoved) {
  pack(1, {{1}});
  ++listed(1).size_bytes;
  EXPECT_THAT(removed(), ElementsAre(1));
}

TEST_F(PrunePlanTest, AUsedPackThatIsMissingIsAnErrorThatNamesIt) {
  pack(1, {{1}});
  pack(2, {{2}});
  use({1, 2});
  lose(2);
  const auto plan = try_plan();
  ASSERT_THAT(plan, FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(plan.error().message(), AllOf(HasSubstr("missing"), HasSubstr(pack_id(2).hex())));
}

TEST_F(PrunePlanTest, AnUnusedPackThatIsMissingOnlyLeavesTheIndex) {
  pack(1, {{1}});
  pack(2, {{2}});
  use({1});
  lose(2);
  const PrunePlan plan = this->plan();
  EXPECT_THAT(packs_with(PackFate::kMissing, plan), ElementsAre(2));
  EXPECT_THAT(removed(), IsEmpty());
  EXPECT_TRUE(plan.changes_index());
  EXPECT_EQ(plan.statistics.packs.removed, 0);
}

// --- duplicates ----------------------------------------------------------------------------------

TEST_F(PrunePlanTest, OfADuplicateOneCopyCountsAsUsed) {
  pack(1, {{1}});
  pack(2, {{1}});
  use({1});
  const PrunePlan plan = this->plan();
  EXPECT_EQ(kept().size(), 1);
  EXPECT_EQ(removed().size(), 1);
  EXPECT_THAT(plan.copies, IsEmpty());
  EXPECT_EQ(plan.statistics.used.blobs, 1);
  EXPECT_EQ(plan.statistics.duplicate.blobs, 1);
  EXPECT_EQ(plan.statistics.unused.blobs, 0);
}

TEST_F(PrunePlanTest, ADuplicateCountsWhereMoreIsUsed) {
  allow_no_unused();
  for (const std::uint64_t first :
       {std::uint64_t{10}, std::uint64_t{20}}) {  // whichever comes first
    pack(first, {{first + 1}, {first + 2}});
    pack(first + 5, {{first + 2}, {first + 3}});
  }
  use({11, 12, 22, 23});
  EXPECT_THAT(kept(), ElementsAre(10, 25));
  EXPECT_THAT(removed(), ElementsAre(15, 20));
}

// A prune that was killed has left the new packs; the old ones are still there.
TEST_F(PrunePlanTest, PacksOfOnlyDuplicatesWinOverThoseWithUnusedBlobs) {
  allow_no_unused();
  pack(1, {{1}, {2}, {3}});
  pack(2, {{1}, {2}});
  pack(3, {{4}, {5}, {6}});
  pack(4, {{5}, {6}});
  use({1, 2, 5, 6});
  EXPECT_THAT(kept(), ElementsAre(2, 4));
  EXPECT_THAT(removed(), ElementsAre(1, 3));
}

// The packs that this run has written: of the old ones nothing may count as used.
TEST_F(PrunePlanTest, PreferredPacksWinOverAllOthers) {
  rules_.max_repack_bytes = 0;
  for (std::uint64_t number = 1; number <= 5; ++number) pack(number, {{number}, {number + 100}});
  pack(9, {{1}, {2}, {3}, {4}, {5}});
  use({1, 2, 3, 4, 5, 101});
  rules_.preferred = {pack_id(9)};
  EXPECT_THAT(kept(), ElementsAre(1, 9)) << "101 lies in 1 alone";
  EXPECT_THAT(removed(), ElementsAre(2, 3, 4, 5));
}

TEST_F(PrunePlanTest, ABlobTwiceInOnePackIsUsedOnce) {
  allow_no_unused();
  pack(1, {{1}, {1}, {2}});
  use({1, 2});
  const PrunePlan plan = this->plan();
  EXPECT_EQ(plan.statistics.used.blobs, 2);
  EXPECT_EQ(plan.statistics.duplicate.blobs, 1);
  EXPECT_THAT(repacked(), ElementsAre(1));
  EXPECT_EQ(plan.copies.size(), 2);
}

TEST_F(PrunePlanTest, ABlobThatAlsoLiesInAKeptPackIsNotCopied) {
  rules_.max_repack_bytes = 12 * kMiB;
  allow_no_unused();
  pack(1, {{1}, {2, 100}, {3, 4 * kMiB}});
  pack(2, {{2, 100}, {4}});
  use({1, 2, 4});
  const PrunePlan plan = this->plan();
  EXPECT_THAT(repacked(), ElementsAre(1));
  EXPECT_EQ(copied(plan), (std::map<std::uint64_t, std::uint64_t>{{1, 1}}));
}

TEST_F(PrunePlanTest, DataAndATreeOfOneIdAreTwoBlobs) {
  pack(1, {{1}});
  pack(2, {tree(1)});
  use({1});
  const PrunePlan plan = this->plan();
  EXPECT_EQ(plan.statistics.used.blobs, 2);
  EXPECT_EQ(plan.statistics.duplicate.blobs, 0);
}

}  // namespace
}  // namespace restree
