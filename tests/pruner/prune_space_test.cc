// A prune of a repository whose storage has little free space.
#include <iterator>

#include "tests/pruner/pruned_repository.h"

namespace restree::testing {
namespace {

class PruneSpace : public PrunedRepository {
 protected:
  // Of six packs of four blobs each, half of the blobs are used; a seventh pack is not.
  PruneSpace() {
    is_in_rounds_ = true;
    blobs_a_pack_ = 4;
    options_.writer.pack_bytes = blobs_a_pack_ * kBlobBytes;
    options_.keep_free_bytes = kKeptFree;
    std::vector<unsigned> all;
    std::vector<unsigned> half;
    for (unsigned i = 0; i < 24; ++i) {
      all.push_back(i);
      if (i % 4 < 2) half.push_back(i);
    }
    const FileName first = snapshot({100, 101, 102, 103}, "unused");
    const FileName second = snapshot(all, "all");
    snapshot(half, "half");
    forget(first);
    forget(second);
  }
  // What is free before each write, which is what the write before it has left.
  void watch_free() {
    memory_.storage().watch_writes([this](const FileName&) -> Status {
      free_.push_back(memory_.free_bytes());
      return {};
    });
  }
  static std::uint64_t room_for_packs(std::uint64_t packs) {
    return bytes_to_store({.blobs = 2 * packs, .bytes = 2 * packs * (kBlobBytes + 50)},
                          4 * kBlobBytes);
  }

  static constexpr std::uint64_t kKeptFree = 100'000;
  std::vector<std::uint64_t> free_;
};

TEST_F(PruneSpace, TakesAsManyRoundsAsItNeedsAndRemovesAllThatIsUnused) {
  memory_.leave_free(kKeptFree + room_for_packs(1));
  watch_free();
  ASSERT_OK(prune());
  EXPECT_GE(rounds_, 2);
  EXPECT_EQ(last_round_.packs_left, 0U);
  EXPECT_EQ(damage_of(shared()), "");
  EXPECT_EQ(blob_count(), 12U + 1U);
  EXPECT_GE(free_.size(), 6U);
  for (const std::uint64_t free_bytes : free_) EXPECT_GE(free_bytes, kKeptFree);
}

TEST_F(PruneSpace, IsOneRoundIfWhatNothingUsesIsEnough) {
  // With the bytes of that pack there is room for all.
  memory_.leave_free(kKeptFree + room_for_packs(6) - 2 * kBlobBytes);
  ASSERT_OK(prune());
  EXPECT_EQ(rounds_, 1);
  EXPECT_EQ(blob_count(), 12U + 1U);
}

TEST_F(PruneSpace, RemovesWhatNothingUsesEvenIfThereIsNoRoomForCopies) {
  memory_.leave_free(20'000);
  ASSERT_OK(prune());
  EXPECT_EQ(rounds_, 0);
  EXPECT_FALSE(has(100));
  EXPECT_EQ(last_round_.packs_left, 6U);
  EXPECT_GT(last_round_.least_bytes, 2 * kBlobBytes);
  EXPECT_EQ(damage_of(shared()), "");
}

// Where there is room, all that are not full are put together.
TEST_F(PruneSpace, WritesOnlyTheIndexFilesThatItMustWhereThereIsNoRoomForAll) {
  const auto names = [&] {
    std::vector<std::string> all;
    for (const ListedFile& file : files(FileType::kIndex)) all.push_back(file.name);
    std::ranges::sort(all);
    return all;
  };
  const std::vector<std::string> before = names();
  ASSERT_EQ(before.size(), 3U);
  memory_.leave_free(20'000);
  ASSERT_OK(prune());
  std::vector<std::string> kept;
  std::ranges::set_intersection(before, names(), std::back_inserter(kept));
  EXPECT_EQ(kept.size(), 1U) << "that of the last snapshot names no pack that goes";
  EXPECT_EQ(names().size(), 2U) << "that of the first named no other";
  EXPECT_EQ(damage_of(shared()), "");
}

TEST_F(PruneSpace, DoesNotRepackMoreInAllRoundsThanIsAllowed) {
  memory_.leave_free(kKeptFree + room_for_packs(1));
  options_.rules.max_repack_bytes = 2 * 4 * (kBlobBytes + 100) + 1000;
  ASSERT_OK(prune());
  EXPECT_EQ(blob_count(), 24U + 1U - 2U * 2U);
}

TEST_F(PruneSpace, WhatIsBackedUpBetweenRoundsIsKept) {
  memory_.leave_free(kKeptFree + room_for_packs(1));
  int shares = 0;
  share_ = [&]() -> Status {
    if (++shares != 2) return {};
    // Uses a blob that no snapshot used, and brings one that is new.
    snapshot({3, 500}, "in between");
    memory_.leave_free(kKeptFree + room_for_packs(1));
    return {};
  };
  ASSERT_OK(prune());
  EXPECT_GE(shares, 3);
  EXPECT_TRUE(has(3));
  EXPECT_TRUE(has(500));
  EXPECT_EQ(damage_of(shared()), "");
}

// Of the snapshot that was forgotten then, all is gone, although this prune had marked it.
TEST_F(PruneSpace, AnotherPruneBetweenRoundsIsFollowed) {
  const FileName more = snapshot({200, 201, 202, 203}, "more");
  memory_.leave_free(kKeptFree + room_for_packs(1));
  int shares = 0;
  share_ = [&]() -> Status {
    if (++shares != 2) return {};
    forget(more);
    PruneOptions options = options_;
    options.rules.max_repack_bytes = 0;
    const auto repository = open_at(shared());
    Pruner other(*repository, options);
    RETURN_IF_ERROR(prepare(other));
    return other.remove(said_);
  };
  ASSERT_OK(prune());
  EXPECT_FALSE(has(200));
  EXPECT_EQ(last_round_.packs_left, 0U);
  EXPECT_EQ(blob_count(), 12U + 1U);
  EXPECT_EQ(damage_of(shared()), "");
}

TEST_F(PruneSpace, IsNotLimitedWhereTheStorageDoesNotSay) {
  ASSERT_OK(prune());
  EXPECT_EQ(rounds_, 1);
  EXPECT_EQ(blob_count(), 12U + 1U);
}

}  // namespace
}  // namespace restree::testing
