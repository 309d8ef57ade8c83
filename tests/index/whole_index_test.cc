// The parts of an index, seen as one, beside an index into which they were merged.
#include "repo/index/whole_index.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "tests/index/numbered_ids.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using PlaceInPack = std::pair<PackId, std::uint32_t>;
using Blob = std::pair<BlobType, BlobId>;

// Packs with blobs of which many lie in several packs, spread over parts.
class PartedIndex : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kPacks = 60;
  static constexpr std::uint64_t kBlobs = 300;

  WholeIndex parted(std::size_t parts, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::vector<IndexBuilder> builders(parts);
    IndexBuilder all;
    for (std::uint64_t pack = 0; pack < kPacks; ++pack) {
      std::vector<IndexedBlob> blobs;
      for (std::uint32_t i = 0; i < 10; ++i) {
        const BlobType type = random() % 4 == 0 ? BlobType::kTree : BlobType::kData;
        blobs.push_back({blob_id(random() % kBlobs), type, i * 100, 100, 0});
      }
      builders[random() % parts].add(pack_id(pack), blobs);
      all.add(pack_id(pack), blobs);
    }
    merged_ = std::move(all).build(1);
    IndexParts built;
    for (IndexBuilder& builder : builders) built.push_back(std::move(builder).build(1));
    return WholeIndex(std::move(built));
  }
  static PlaceInPack place_of(const WholeIndex& index, std::size_t position) {
    const IndexEntry entry = index.entry(position);
    return {index.packs()[entry.pack_number()], entry.offset};
  }
  static std::set<PlaceInPack> places(const std::vector<BlobLocation>& locations) {
    std::set<PlaceInPack> places;
    for (const BlobLocation& one : locations) places.emplace(one.pack, one.offset);
    return places;
  }

  std::shared_ptr<const Index> merged_;
};

TEST_F(PartedIndex, HasWhatTheMergedOneHas) {
  for (const std::size_t parts : {1U, 2U, 5U}) {
    const WholeIndex index = parted(parts);
    EXPECT_THAT(index.parts(), SizeIs(parts));
    EXPECT_EQ(index.blob_count(), merged_->blob_count());
    EXPECT_EQ(std::set(index.packs().begin(), index.packs().end()),
              std::set(merged_->packs().begin(), merged_->packs().end()));
    for (std::uint64_t i = 0; i < kBlobs; ++i) {
      for (const BlobType type : {BlobType::kData, BlobType::kTree}) {
        EXPECT_EQ(places(index.find_all(type, blob_id(i))),
                  places(merged_->find_all(type, blob_id(i))));
        EXPECT_EQ(index.position(type, blob_id(i)).has_value(),
                  merged_->position(type, blob_id(i)).has_value());
      }
    }
  }
}

TEST_F(PartedIndex, GivesEveryPositionOnce) {
  const WholeIndex index = parted(3);
  std::size_t next = 0;
  index.each_entry([&](std::size_t position, const IndexEntry& entry) {
    EXPECT_EQ(position, next++);
    EXPECT_EQ(entry, index.entry(position));
  });
  EXPECT_EQ(next, index.blob_count());
}

TEST_F(PartedIndex, GivesEachBlobOnceInTheOrderOfTheMergedOne) {
  const WholeIndex index = parted(3);
  std::vector<Blob> expected;
  for (const IndexEntry& entry : merged_->entries()) {
    const Blob blob{entry.type(), entry.id};
    if (expected.empty() || expected.back() != blob) expected.push_back(blob);
  }
  std::vector<Blob> found;
  index.each_blob([&](std::span<const std::uint32_t> positions) {
    const IndexEntry first = index.entry(positions.front());
    found.emplace_back(first.type(), first.id);
    EXPECT_EQ(index.position(first.type(), first.id), positions.front());
    EXPECT_TRUE(std::ranges::is_sorted(positions));
    std::set<PlaceInPack> here;
    for (const std::uint32_t position : positions) here.insert(place_of(index, position));
    EXPECT_THAT(here, SizeIs(positions.size()));
    EXPECT_EQ(here, places(merged_->find_all(first.type(), first.id)));
  });
  EXPECT_EQ(found, expected);
}

// As where two programs have written an index of the same pack.
TEST_F(PartedIndex, CountsWhatTwoPartsNameOnce) {
  const IndexedBlob blob{blob_id(1), BlobType::kData, 0, 100, 0};
  const IndexedBlob other{blob_id(2), BlobType::kData, 100, 100, 0};
  IndexParts parts;
  for (const auto& blobs : {std::vector{blob}, std::vector{blob, other}}) {
    IndexBuilder builder;
    builder.add(pack_id(7), blobs);
    parts.push_back(std::move(builder).build(1));
  }
  const WholeIndex index(std::move(parts));
  EXPECT_EQ(index.blob_count(), 2U);
  EXPECT_THAT(index.packs(), SizeIs(1));
  EXPECT_THAT(index.find_all(BlobType::kData, blob_id(1)), SizeIs(1));
}

TEST_F(PartedIndex, MayHaveNoParts) {
  const WholeIndex index{IndexParts()};
  EXPECT_EQ(index.blob_count(), 0U);
  EXPECT_THAT(index.find_all(BlobType::kData, blob_id(1)), IsEmpty());
  index.each_blob([](std::span<const std::uint32_t>) { FAIL(); });
}

}  // namespace
}  // namespace restree
