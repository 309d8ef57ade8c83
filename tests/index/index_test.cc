#include "repo/index/index.h"

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "tests/index/numbered_ids.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

IndexedBlob data_blob(std::uint64_t number, std::uint32_t offset = 0) {
  return {blob_id(number), BlobType::kData, offset, 100, 0};
}

std::shared_ptr<const Index> index_of(const std::vector<std::pair<PackId, IndexedBlob>>& entries) {
  IndexBuilder builder;
  for (const auto& [pack, blob] : entries) builder.add(pack, {&blob, 1});
  return std::move(builder).build(2);
}

TEST(Index, WithoutEntriesFindsNothing) {
  const auto index = index_of({});
  EXPECT_EQ(index->find(BlobType::kData, blob_id(1)).has_value(), false);
  EXPECT_THAT(index->find_all(BlobType::kTree, blob_id(1)), IsEmpty());
  EXPECT_EQ(index->blob_count(), 0u);
}

TEST(Index, FindsItsBlobsAndNoOthers) {
  constexpr std::uint64_t kBlobs = 10'000;
  IndexBuilder builder;
  for (std::uint64_t i = 0; i < kBlobs; ++i) {
    const auto blob = data_blob(i, static_cast<std::uint32_t>(i));
    builder.add(pack_id(i / 100), {&blob, 1});
  }
  const auto index = std::move(builder).build(2);
  EXPECT_EQ(index->blob_count(), kBlobs);
  EXPECT_EQ(index->pack_count(), kBlobs / 100);
  for (std::uint64_t i = 0; i < kBlobs; ++i) {
    const auto found = index->find(BlobType::kData, blob_id(i));
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->pack, pack_id(i / 100));
    EXPECT_EQ(found->offset, i);
    EXPECT_FALSE(index->find(BlobType::kTree, blob_id(i)).has_value());
    EXPECT_FALSE(index->find(BlobType::kData, blob_id(i + kBlobs)).has_value());
  }
}

TEST(Index, TellsDataAndTreeOfOneIdApart) {
  auto tree = data_blob(1, 7);
  tree.type = BlobType::kTree;
  tree.raw_length = 55;
  const auto index = index_of({{pack_id(2), tree}, {pack_id(1), data_blob(1)}});
  EXPECT_EQ(index->find(BlobType::kData, blob_id(1))->pack, pack_id(1));
  EXPECT_EQ(index->find(BlobType::kTree, blob_id(1))->pack, pack_id(2));
  EXPECT_THAT(index->find_all(BlobType::kData, blob_id(1)), SizeIs(1));
  EXPECT_EQ(index->find(BlobType::kTree, blob_id(1))->blob_bytes(), 55u);
  EXPECT_EQ(index->find(BlobType::kData, blob_id(1))->blob_bytes(), 68u);
}

TEST(Index, SaysWhereTheLastBlobOfThePackEnds) {
  const auto index = index_of({{pack_id(1), data_blob(1, 500)},
                               {pack_id(1), data_blob(2, 0)},
                               {pack_id(2), data_blob(3, 7)}});
  EXPECT_EQ(index->find(BlobType::kData, blob_id(1))->pack_end, 600u);
  EXPECT_EQ(index->find(BlobType::kData, blob_id(2))->pack_end, 600u);
  EXPECT_EQ(index->find(BlobType::kData, blob_id(3))->pack_end, 107u);
}

TEST(Index, CountsExactDuplicatesOnce) {
  const auto index = index_of(
      {{pack_id(1), data_blob(1)}, {pack_id(2), data_blob(2)}, {pack_id(1), data_blob(1)}});
  EXPECT_EQ(index->blob_count(), 2u);
  EXPECT_EQ(index->pack_count(), 2u);
  EXPECT_THAT(index->find_all(BlobType::kData, blob_id(1)), SizeIs(1));
}

TEST(Index, KeepsEveryOtherPlaceOfABlob) {
  const auto index = index_of({{pack_id(1), data_blob(1)},
                               {pack_id(2), data_blob(1)},
                               {pack_id(2), data_blob(1, 50)},
                               {pack_id(3), data_blob(1)}});
  const auto places = index->find_all(BlobType::kData, blob_id(1));
  ASSERT_THAT(places, SizeIs(4));
  EXPECT_EQ(places[0].pack, pack_id(1));
  EXPECT_EQ(places[3].pack, pack_id(3));
  EXPECT_EQ(index->find(BlobType::kData, blob_id(1))->pack, pack_id(1));
}

TEST(Index, FindsIdsThatAreNotSpreadLikeHashes) {
  IndexBuilder builder;
  constexpr int kBlobs = 5000;
  const auto crowded = [](int i) {
    BlobId id;
    id.bytes[0] = std::byte{0xff};
    id.bytes[30] = static_cast<std::byte>(i >> 8);
    id.bytes[31] = static_cast<std::byte>(i);
    return id;
  };
  for (int i = kBlobs - 1; i >= 0; --i) {
    const IndexedBlob blob{crowded(i), BlobType::kData, static_cast<std::uint32_t>(i), 100, 0};
    builder.add(pack_id(1), {&blob, 1});
  }
  const auto index = std::move(builder).build(1);
  for (int i = 0; i < kBlobs; ++i) {
    EXPECT_EQ(index->find(BlobType::kData, crowded(i))->offset, static_cast<std::uint32_t>(i));
  }
  EXPECT_FALSE(index->find(BlobType::kData, crowded(kBlobs)).has_value());
  EXPECT_FALSE(index->find(BlobType::kData, BlobId{}).has_value());
}

TEST(Index, FindsTheFirstAndTheLastIdThereCanBe) {
  auto first = data_blob(0, 1);
  first.id.bytes.fill(std::byte{0});
  auto last = data_blob(0, 2);
  last.id.bytes.fill(std::byte{0xff});
  const auto index = index_of({{pack_id(1), last}, {pack_id(1), first}});
  EXPECT_EQ(index->find(BlobType::kData, first.id)->offset, 1u);
  EXPECT_EQ(index->find(BlobType::kData, last.id)->offset, 2u);
}

TEST(IndexBuilder, IsFilledFromSeveralThreadsAtOnce) {
  constexpr std::uint64_t kThreads = 4;
  constexpr std::uint64_t kPacks = 200;
  IndexBuilder builder;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&builder] {
        // Every thread reads the same packs, as from index files that overlap.
        for (std::uint64_t pack = 0; pack < kPacks; ++pack) {
          const std::vector<IndexedBlob> blobs = {data_blob(3 * pack), data_blob(3 * pack + 1),
                                                  data_blob(3 * pack + 2)};
          builder.add(pack_id(pack), blobs);
        }
      });
    }
  }
  const auto index = std::move(builder).build(kThreads);
  EXPECT_EQ(index->blob_count(), 3 * kPacks);
  EXPECT_EQ(index->pack_count(), kPacks);
  for (std::uint64_t i = 0; i < 3 * kPacks; ++i) {
    EXPECT_EQ(index->find(BlobType::kData, blob_id(i))->pack, pack_id(i / 3));
  }
}

TEST(IndexBuilder, TakesOverOtherIndexesWithTheirPacks) {
  auto tree = data_blob(3, 50);
  tree.type = BlobType::kTree;
  tree.raw_length = 70;
  const auto first = index_of({{pack_id(1), data_blob(1)}, {pack_id(2), data_blob(2)}});
  const auto second =
      index_of({{pack_id(3), data_blob(1, 10)}, {pack_id(2), tree}, {pack_id(2), data_blob(2)}});
  IndexBuilder builder;
  builder.add(*first);
  builder.add(*second);
  const auto both = std::move(builder).build(2);
  EXPECT_EQ(both->blob_count(), 4U);  // one place is in both
  EXPECT_EQ(both->pack_count(), 3U);
  EXPECT_EQ(both->sealed_bytes(), 400U);
  EXPECT_THAT(both->find_all(BlobType::kData, blob_id(1)), SizeIs(2));
  EXPECT_EQ(both->find(BlobType::kData, blob_id(2))->pack, pack_id(2));
  const auto found = both->find(BlobType::kTree, blob_id(3));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->pack, pack_id(2));
  EXPECT_EQ(found->offset, 50U);
  EXPECT_EQ(found->raw_length, 70U);
  EXPECT_EQ(found->pack_end, 150U);
}

TEST(Index, CostsAtMost56BytesABlob) {
  constexpr std::uint64_t kBlobs = 20'000;
  IndexBuilder builder;
  for (std::uint64_t i = 0; i < kBlobs; ++i) {
    const auto blob = data_blob(i);
    builder.add(pack_id(i / 10), {&blob, 1});
  }
  const auto index = std::move(builder).build(2);
  EXPECT_LE(index->memory_bytes(), 56 * kBlobs);
}

}  // namespace
}  // namespace restree
