#include "fs/ahead/read_plan.h"

#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "repo/crypto/sha256.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

BlobId blob(std::size_t number) {
  BlobId id;
  id.bytes = sha256(as_bytes(std::to_string(number)));
  return id;
}

// A file whose i-th blob has the i-th size; nullopt: no index names it.
using Sizes = std::vector<std::optional<std::uint32_t>>;

FileLayout layout_of(const Sizes& sizes, std::uint64_t recorded_size = 0) {
  std::vector<BlobId> content;
  std::map<BlobId, std::optional<std::uint32_t>> known;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    content.push_back(blob(i));
    known[content.back()] = sizes[i];
  }
  return FileLayout::make(content, recorded_size, [&](const BlobId& id) { return known.at(id); });
}

void expect_piece(const FileLayout& layout, std::uint64_t offset, FileLayout::Piece expected) {
  const FileLayout::Piece piece = layout.piece_at(offset);
  EXPECT_EQ(piece.blob, expected.blob) << "at " << offset;
  EXPECT_EQ(piece.file_offset, expected.file_offset) << "at " << offset;
  EXPECT_EQ(piece.length, expected.length) << "at " << offset;
  EXPECT_EQ(piece.placed, expected.placed) << "at " << offset;
}

TEST(FileLayout, OfNothingIsEmptyWhateverWasRecorded) {
  EXPECT_EQ(layout_of({}).size(), 0U);
  EXPECT_EQ(layout_of({}, 1000).size(), 0U);
}

TEST(FileLayout, PutsBlobsOneAfterTheOther) {
  const FileLayout layout = layout_of({10, 20, 30});
  EXPECT_EQ(layout.size(), 60U);
  for (const std::uint64_t offset : {0U, 9U}) expect_piece(layout, offset, {0, 0, 10, true});
  for (const std::uint64_t offset : {10U, 29U}) expect_piece(layout, offset, {1, 10, 20, true});
  for (const std::uint64_t offset : {30U, 59U}) expect_piece(layout, offset, {2, 30, 30, true});
}

TEST(FileLayout, BelievesTheBlobsBeforeTheRecordedSize) {
  EXPECT_EQ(layout_of({10, 20}, 1).size(), 30U);
  EXPECT_EQ(layout_of({10, 20}, 1U << 30).size(), 30U);
}

TEST(FileLayout, PassesOverBlobsOfNoBytes) {
  const FileLayout layout = layout_of({0, 10, 0, 0, 5, 0});
  expect_piece(layout, 0, {1, 0, 10, true});
  expect_piece(layout, 10, {4, 10, 5, true});
  EXPECT_EQ(layout.size(), 15U);
}

TEST(FileLayout, PassesFourGiB) {
  const FileLayout layout = layout_of({0xffffffff, 0xffffffff, 7});
  EXPECT_EQ(layout.size(), 2 * 0xffffffffULL + 7);
  expect_piece(layout, 2 * 0xffffffffULL + 6, {2, 2 * 0xffffffffULL, 7, true});
}

TEST(FileLayout, PlacesAnOnlyMissingBlobByTheRecordedSize) {
  const FileLayout layout = layout_of({10, std::nullopt, 30}, 60);
  EXPECT_EQ(layout.size(), 60U);
  expect_piece(layout, 9, {0, 0, 10, true});
  expect_piece(layout, 10, {1, 10, 20, true});
  expect_piece(layout, 29, {1, 10, 20, true});
  expect_piece(layout, 30, {2, 30, 30, true});
}

TEST(FileLayout, PlacesAMissingFirstOrLastBlob) {
  expect_piece(layout_of({std::nullopt, 30}, 40), 5, {0, 0, 10, true});
  expect_piece(layout_of({std::nullopt, 30}, 40), 10, {1, 10, 30, true});
  expect_piece(layout_of({30, std::nullopt}, 40), 30, {1, 30, 10, true});
  expect_piece(layout_of({std::nullopt}, 40), 0, {0, 0, 40, true});
}

TEST(FileLayout, MakesOneGapFromTheFirstToTheLastMissingBlob) {
  const FileLayout layout = layout_of({10, std::nullopt, 5, std::nullopt, 30}, 100);
  EXPECT_EQ(layout.size(), 100U);
  expect_piece(layout, 9, {0, 0, 10, true});
  expect_piece(layout, 10, {1, 10, 60, false});
  expect_piece(layout, 69, {1, 10, 60, false});
  expect_piece(layout, 70, {4, 70, 30, true});
}

TEST(FileLayout, WithARecordedSizeThatIsTooSmallKeepsEveryKnownByte) {
  const FileLayout layout = layout_of({10, std::nullopt, 30}, 15);
  EXPECT_EQ(layout.size(), 40U);
  expect_piece(layout, 9, {0, 0, 10, true});
  expect_piece(layout, 10, {2, 10, 30, true});
}

TEST(FileLayout, IsNeverLargerThanAFileCanBe) {
  const FileLayout layout = layout_of({10, std::nullopt, 30}, ~std::uint64_t{0});
  EXPECT_EQ(layout.size(), ~std::uint64_t{0} >> 1);
  expect_piece(layout, 9, {0, 0, 10, true});
  expect_piece(layout, layout.size() - 1, {2, layout.size() - 30, 30, true});
}

TEST(FileLayout, CountsItsMemory) {
  EXPECT_GE(layout_of(Sizes(100, 1)).memory_bytes(), 100 * sizeof(std::uint64_t));
}

// For every byte of a file, the blob that holds it and where that begins; nullopt: in a gap.
using Naive = std::vector<std::optional<std::pair<std::size_t, std::uint64_t>>>;

TEST(FileLayout, AgreesWithTheNaiveModelForEveryByte) {
  std::mt19937 random(2026);
  for (int round = 0; round < 300; ++round) {
    Sizes sizes(random() % 12);
    Naive naive;
    std::optional<std::size_t> first_gap;
    std::size_t last_gap = 0;
    std::vector<std::uint32_t> true_sizes;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      true_sizes.push_back(static_cast<std::uint32_t>(random() % 50));
      const bool missing = round % 2 == 1 && random() % 4 == 0;
      if (!missing) sizes[i] = true_sizes[i];
      if (missing && !first_gap) first_gap = i;
      if (missing) last_gap = i;
    }
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const std::uint64_t begin = naive.size();
      const bool in_gap = first_gap && i >= *first_gap && i <= last_gap;
      const bool placed = !in_gap || *first_gap == last_gap;
      for (std::uint32_t byte = 0; byte < true_sizes[i]; ++byte) {
        naive.push_back(placed ? std::optional(std::pair(i, begin)) : std::nullopt);
      }
    }
    const FileLayout layout = layout_of(sizes, naive.size());
    ASSERT_EQ(layout.size(), naive.size());
    for (std::uint64_t offset = 0; offset < naive.size(); ++offset) {
      const FileLayout::Piece piece = layout.piece_at(offset);
      ASSERT_EQ(piece.placed, naive[offset].has_value());
      ASSERT_LE(piece.file_offset, offset);
      ASSERT_GT(piece.file_offset + piece.length, offset);
      if (!piece.placed) continue;
      ASSERT_EQ(piece.blob, naive[offset]->first);
      ASSERT_EQ(piece.file_offset, naive[offset]->second);
      ASSERT_EQ(piece.length, true_sizes[piece.blob]);
    }
  }
}

TEST(FileLayouts, RemembersLayoutsOfManyBlobsByTreeAndPosition) {
  std::size_t asked = 0;
  FileLayouts layouts(1 << 20, [&](const BlobId&) {
    ++asked;
    return std::uint32_t{10};
  });
  const std::vector<BlobId> content(100, blob(1));
  Node large;
  large.content = content;
  const BlobId tree = blob(2);
  EXPECT_EQ(layouts.layout_of(tree, 0, large)->size(), 1000U);
  EXPECT_EQ(asked, 100U);
  EXPECT_EQ(layouts.layout_of(tree, 0, large)->size(), 1000U);
  EXPECT_EQ(asked, 100U) << "remembered";
  EXPECT_EQ(layouts.layout_of(tree, 1, large)->size(), 1000U);
  EXPECT_EQ(layouts.layout_of(blob(3), 0, large)->size(), 1000U);
  EXPECT_EQ(asked, 300U);

  Node small;
  small.content = std::span(content).first(2);
  EXPECT_EQ(layouts.layout_of(tree, 2, small)->size(), 20U);
  EXPECT_EQ(layouts.layout_of(tree, 2, small)->size(), 20U);
  EXPECT_EQ(asked, 304U) << "made anew";
}

TEST(FileLayouts, AGapClosesOnceTheSizesAreKnown) {
  std::optional<std::uint32_t> size;
  FileLayouts layouts(1 << 20, [&](const BlobId&) { return size; });
  const std::vector<BlobId> content(100, blob(1));
  Node large;
  large.content = content;
  large.size = 1000;
  EXPECT_FALSE(layouts.layout_of(blob(2), 0, large)->piece_at(500).placed);
  EXPECT_FALSE(layouts.layout_of(blob(2), 0, large)->piece_at(500).placed);
  size = 10;
  EXPECT_TRUE(layouts.layout_of(blob(2), 1, large)->piece_at(500).placed);
  EXPECT_FALSE(layouts.layout_of(blob(2), 1, large)->has_gap());
}

TEST(FileLayouts, SizesThatDoNotComeToTheFilesSizeAreCorrectedOnce) {
  std::uint32_t size = 11;
  std::size_t corrections = 0;
  FileLayouts layouts(
      1 << 20, [&](const BlobId&) { return size; },
      [&](std::span<const BlobId> wrong) {
        EXPECT_EQ(wrong.size(), 2U);
        ++corrections;
        return std::exchange(size, 10) != 10;
      });
  const std::vector<BlobId> content(2, blob(1));
  Node file;
  file.content = content;
  file.size = 20;
  EXPECT_EQ(layouts.layout_of(blob(2), 0, file)->size(), 20U);
  EXPECT_EQ(layouts.layout_of(blob(2), 0, file)->size(), 20U);
  EXPECT_EQ(corrections, 1U);
  file.size = 21;  // as the file grew under the backup: nothing is wrong then
  EXPECT_EQ(layouts.layout_of(blob(2), 0, file)->size(), 20U);
}

TEST(FileLayouts, KeepALayoutThatIsInUseWhateverItWeighs) {
  std::size_t asked = 0;
  FileLayouts layouts(1 << 10, [&](const BlobId&) {
    ++asked;
    return std::uint32_t{10};
  });
  const std::vector<BlobId> content(10'000, zero_blob_id());
  Node large;
  large.content = content;
  for (int i = 0; i < 100; ++i) {
    const auto layout = layouts.layout_of(blob(2), 0, large);
    EXPECT_EQ(layout->size(), 100'000U);
    EXPECT_EQ(layout->zero_blobs(), 10'000U);
  }
  EXPECT_EQ(asked, 10'000U);
}

TEST(ZeroBlob, IsTheHashOfItsZeros) {
  EXPECT_EQ(zero_blob_id().bytes, sha256(as_bytes(std::string(kZeroBlobBytes, '\0'))));
}

TEST(ZeroBlob, IsCounted) {
  const std::vector<BlobId> content{zero_blob_id(), blob(1), zero_blob_id()};
  EXPECT_EQ(count_zero_blobs(content), 2U);
  EXPECT_EQ(count_zero_blobs({}), 0U);
}

}  // namespace
}  // namespace restree
