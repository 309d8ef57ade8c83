#include "cache/pack_pieces.h"

#include <gtest/gtest.h>

#include "tests/cache/numbered_packs.h"

namespace restree {
namespace {

constexpr Deadline::Clock::time_point kLanded{std::chrono::hours(1)};

constexpr Deadline::Clock::time_point kStale = kLanded;

class PackPiecesTest : public ::testing::Test {
 protected:
  SharedPiece landed(std::uint64_t offset, std::uint64_t length, int number = 1,
                     BlobType type = BlobType::kData) {
    SharedPiece piece = pieces_.add(pack(number), type, {offset, length});
    piece->state = PieceState::kLanded;
    piece->landed_at = kLanded;
    piece->bytes = Bytes(length);
    return piece;
  }
  PackPieces pieces_{{.data_bytes = 1000, .tree_bytes = 100}};
};

TEST_F(PackPiecesTest, AnEmptyMemoryIsOneGap) {
  const auto gaps = pieces_.gaps(pack(1), {10, 20});
  ASSERT_EQ(gaps.size(), 1U);
  EXPECT_EQ(gaps[0].offset, 10U);
  EXPECT_EQ(gaps[0].length, 20U);
}

TEST_F(PackPiecesTest, GapsLieBetweenPieces) {
  landed(100, 50);
  landed(200, 50);
  const auto gaps = pieces_.gaps(pack(1), {120, 200});
  ASSERT_EQ(gaps.size(), 2U);
  EXPECT_EQ(gaps[0].offset, 150U);
  EXPECT_EQ(gaps[0].length, 50U);
  EXPECT_EQ(gaps[1].offset, 250U);
  EXPECT_EQ(gaps[1].length, 70U);
  EXPECT_TRUE(pieces_.gaps(pack(1), {110, 20}).empty());
  EXPECT_EQ(pieces_.gaps(pack(2), {110, 20}).size(), 1U);
}

TEST_F(PackPiecesTest, CoveringPiecesAreThoseThatTouchTheRange) {
  const SharedPiece first = landed(100, 50);
  const SharedPiece second = landed(150, 50);
  landed(200, 50);
  const auto touching = pieces_.covering(pack(1), {149, 51});
  ASSERT_EQ(touching.size(), 2U);
  EXPECT_EQ(touching[0], first);
  EXPECT_EQ(touching[1], second);
  EXPECT_TRUE(pieces_.covering(pack(1), {250, 10}).empty());
}

TEST_F(PackPiecesTest, APieceHandedOutAsAWholeIsRemoved) {
  const SharedPiece piece = landed(0, 100);
  piece->ahead = true;
  pieces_.use(piece, 60);
  EXPECT_EQ(pieces_.held_bytes(BlobType::kData), 100U);
  pieces_.use(piece, 40);
  EXPECT_EQ(pieces_.held_bytes(BlobType::kData), 0U);
  EXPECT_EQ(pieces_.ahead_used_bytes(), 100U);
  EXPECT_EQ(pieces_.wasted_bytes(), 0U);
}

TEST_F(PackPiecesTest, TheOldestMakeRoomAndTheirUnusedBytesAreWasted) {
  const SharedPiece old = landed(0, 600);
  pieces_.use(old, 250);
  const SharedPiece young = landed(600, 300);
  EXPECT_TRUE(pieces_.make_room(BlobType::kData, 500, kStale));
  EXPECT_EQ(pieces_.wasted_bytes(), 350U);
  EXPECT_TRUE(pieces_.covering(pack(1), {0, 600}).empty());
  EXPECT_EQ(pieces_.covering(pack(1), {600, 300}).front(), young);
}

TEST_F(PackPiecesTest, APieceThatHasJustLandedIsNotRemoved) {
  const SharedPiece old = landed(0, 500);
  const SharedPiece young = landed(500, 500);
  young->landed_at += std::chrono::seconds(1);
  EXPECT_FALSE(pieces_.make_room(BlobType::kData, 700, kStale));
  EXPECT_EQ(pieces_.held_bytes(BlobType::kData), 500U);
  EXPECT_EQ(pieces_.covering(pack(1), {500, 1}).front(), young);
}

TEST_F(PackPiecesTest, APieceUnderWayIsNotRemoved) {
  pieces_.add(pack(1), BlobType::kData, {0, 900})->state = PieceState::kFlying;
  EXPECT_FALSE(pieces_.make_room(BlobType::kData, 200, kStale));
  EXPECT_TRUE(pieces_.make_room(BlobType::kData, 100, kStale));
  EXPECT_EQ(pieces_.held_bytes(BlobType::kData), 900U);
}

TEST_F(PackPiecesTest, DataMakeNoRoomForTrees) {
  const SharedPiece data = landed(0, 1000);
  const SharedPiece tree = landed(0, 80, 2, BlobType::kTree);
  EXPECT_TRUE(pieces_.make_room(BlobType::kTree, 50, kStale));
  EXPECT_EQ(pieces_.held_bytes(BlobType::kData), 1000U);
  EXPECT_EQ(pieces_.held_bytes(BlobType::kTree), 0U);
}

TEST_F(PackPiecesTest, RemovingTwiceIsRemovingOnce) {
  const SharedPiece piece = landed(0, 100);
  pieces_.remove(piece);
  const SharedPiece next = landed(0, 50);
  pieces_.remove(piece);
  EXPECT_EQ(pieces_.held_bytes(BlobType::kData), 50U);
  EXPECT_EQ(pieces_.covering(pack(1), {0, 10}).front(), next);
}

}  // namespace
}  // namespace restree
