// What a disk cache removes: the oldest where it grows too large, and what the repository no longer
// has.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cache/disk_cache.h"
#include "tests/cache/disk_cache_fixture.h"
#include "tests/support/cache_places.h"
#include "tests/support/files.h"

namespace restree {
namespace {

using testing::kMiB;
using testing::names_in;
using testing::pack_number;
using testing::place_in;

TEST_F(DiskCacheTest, StaysBelowItsLimitAndDropsTheOldest) {
  CacheLimits limits = kWide;
  limits.size_bytes = 8 * kMiB;
  const auto cache = open(limits);
  for (unsigned pack = 0; pack < 20; ++pack) {
    keep(*cache, place_in(pack, 0, kMiB));
    make_old(file_of(place_in(pack, 0, 0)), std::chrono::hours(100 - pack));
    EXPECT_LE(bytes_on_disk(), limits.size_bytes);
  }
  EXPECT_GT(bytes_on_disk(), limits.size_bytes * 3 / 4);
  EXPECT_FALSE(has(*cache, place_in(0, 0, kMiB)));
  EXPECT_TRUE(has(*cache, place_in(19, 0, kMiB)));
  EXPECT_GT(cache->figures().evicted_bytes, 10 * kMiB);
}

TEST_F(DiskCacheTest, ALowerLimitTakesHoldWithoutAnythingBeingWritten) {
  {
    const auto cache = open();
    for (unsigned pack = 0; pack < 12; ++pack) {
      keep(*cache, place_in(pack, 0, kMiB, pack < 2 ? BlobType::kTree : BlobType::kData));
    }
  }
  for (unsigned pack = 0; pack < 12; ++pack) {
    const BlobType type = pack < 2 ? BlobType::kTree : BlobType::kData;
    make_old(file_of(place_in(pack, 0, 0, type)), std::chrono::hours(100 - pack));
  }
  CacheLimits limits = kWide;
  limits.size_bytes = 5 * kMiB;
  const auto cache = open(limits);
  cache->shrink();
  cache->flush();
  EXPECT_LE(bytes_on_disk(), limits.size_bytes);
  EXPECT_GT(bytes_on_disk(), limits.size_bytes / 2);
  EXPECT_TRUE(has(*cache, place_in(0, 0, kMiB, BlobType::kTree)));  // trees go last
  EXPECT_TRUE(has(*cache, place_in(11, 0, kMiB)));                  // the oldest data go first
  EXPECT_FALSE(has(*cache, place_in(2, 0, kMiB)));
}

TEST_F(DiskCacheTest, RecentlyReadPacksStay) {
  CacheLimits limits = kWide;
  limits.size_bytes = 4 * kMiB;
  const auto cache = open(limits);
  for (unsigned pack = 0; pack < 3; ++pack) {
    keep(*cache, place_in(pack, 0, kMiB));
    make_old(file_of(place_in(pack, 0, 0)), std::chrono::hours(10 - pack));
  }
  EXPECT_TRUE(has(*cache, place_in(0, 0, kMiB)));
  keep(*cache, place_in(9, 0, kMiB));
  EXPECT_TRUE(has(*cache, place_in(0, 0, kMiB)));
  EXPECT_FALSE(has(*cache, place_in(1, 0, kMiB)));
}

TEST_F(DiskCacheTest, AFloodOfDataLeavesTreesAndFiles) {
  CacheLimits limits = kWide;
  limits.size_bytes = 8 * kMiB;
  const auto cache = open(limits);
  const FileName index{FileType::kIndex, std::string(64, '1')};
  cache->keep(index, as_bytes("index"));
  keep(*cache, place_in(100, 0, 2 * kMiB, BlobType::kTree));
  make_old(file_of(place_in(100, 0, 0, BlobType::kTree)), std::chrono::hours(1000));
  for (unsigned pack = 0; pack < 20; ++pack) keep(*cache, place_in(pack, 0, kMiB));
  EXPECT_TRUE(has(*cache, place_in(100, 0, 2 * kMiB, BlobType::kTree)));
  EXPECT_TRUE(cache->read(index));
  EXPECT_TRUE(has(*cache, place_in(19, 0, kMiB)));
}

TEST_F(DiskCacheTest, APartThatCannotFitPushesNothingOut) {
  CacheLimits limits = kWide;
  limits.size_bytes = 4 * kMiB;
  const auto cache = open(limits);
  keep(*cache, place_in(1, 0, kMiB));
  keep(*cache, place_in(2, 0, 5 * kMiB));
  EXPECT_TRUE(has(*cache, place_in(1, 0, kMiB)));
  EXPECT_EQ(cache->figures().dropped, 1U);
  keep(*cache, place_in(3, 0, 2 * kMiB + kMiB / 2));
  EXPECT_TRUE(has(*cache, place_in(3, 0, 2 * kMiB + kMiB / 2)));
}

TEST_F(DiskCacheTest, KeepsNothingWhereTooLittleOfTheDiskIsFree) {
  CacheLimits limits = kWide;
  limits.least_free_percent = 100;
  const auto cache = open(limits);
  keep(*cache, place_in(1, 0, 1000));
  EXPECT_FALSE(has(*cache, place_in(1, 0, 1000)));
  EXPECT_EQ(cache->figures().dropped, 1U);
}

TEST_F(DiskCacheTest, EvictsWhenTheDiskIsNearlyFull) {
  keep(*open(), place_in(1, 0, kMiB));
  CacheLimits limits = kWide;
  limits.least_free_percent = 100;
  keep(*open(limits), place_in(2, 0, kMiB));
  EXPECT_LT(bytes_on_disk(), kMiB);
}

TEST_F(DiskCacheTest, ADamagedCountIsMadeAnew) {
  CacheLimits limits = kWide;
  limits.size_bytes = 4 * kMiB;
  for (unsigned pack = 0; pack < 3; ++pack) keep(*open(limits), place_in(pack, 0, kMiB));
  for (const std::string& count : {std::string(40, '\0'), std::string("x"), std::string()}) {
    testing::write_file(folder() / "usage", count);
    for (unsigned pack = 10; pack < 20; ++pack) {
      keep(*open(limits), place_in(pack, 0, kMiB));
      EXPECT_LE(bytes_on_disk(), limits.size_bytes);
    }
  }
}

TEST_F(DiskCacheTest, PacksThatNoIndexNamesAreRemoved) {
  const auto cache = open();
  for (unsigned pack = 0; pack < 4; ++pack) {
    keep(*cache, place_in(pack, 0, 1000, pack % 2 == 0 ? BlobType::kData : BlobType::kTree));
  }
  const std::string index(64, '1');
  for (const char digit : {'1', '2'}) {
    cache->keep(FileName{FileType::kIndex, std::string(64, digit)}, as_bytes("index"));
  }
  int asked = 0;
  const auto packs = [&] {
    ++asked;
    return std::vector<PackId>{pack_number(2), pack_number(3)};
  };
  cache->retain_indexed({index}, packs);
  cache->flush();
  EXPECT_FALSE(has(*cache, place_in(0, 0, 1000)));
  EXPECT_FALSE(has(*cache, place_in(1, 0, 1000, BlobType::kTree)));
  EXPECT_TRUE(has(*cache, place_in(2, 0, 1000)));
  EXPECT_TRUE(has(*cache, place_in(3, 0, 1000, BlobType::kTree)));
  EXPECT_THAT(names_in(folder() / "index"), ::testing::ElementsAre(index));
  // As long as the index is the same, the packs are not compared again, neither by this process nor
  // by the next.
  cache->retain_indexed({index}, packs);
  open()->retain_indexed({index}, packs);
  EXPECT_EQ(asked, 1);
}

TEST_F(DiskCacheTest, SnapshotsThatWereForgottenAreRemoved) {
  const auto cache = open();
  const std::string kept(64, '1');
  for (const std::string& name : {kept, std::string(64, '2')}) {
    cache->keep(FileName{FileType::kSnapshot, name}, as_bytes("snapshot"));
  }
  cache->flush();
  cache->retain_snapshots({kept});
  cache->flush();
  EXPECT_THAT(names_in(folder() / "snapshots"), ::testing::ElementsAre(kept));
}

TEST_F(DiskCacheTest, AFileThatIsForgottenIsRemoved) {
  const auto cache = open();
  const std::string kept(64, '1');
  const FileName gone{FileType::kKey, std::string(64, '2')};
  cache->keep(FileName{FileType::kKey, kept}, as_bytes("key"));
  cache->keep(gone, as_bytes("key"));
  cache->forget(gone);
  cache->forget(FileName{FileType::kKey, std::string(64, '3')});
  cache->flush();
  EXPECT_THAT(names_in(folder() / "keys"), ::testing::ElementsAre(kept));
}

TEST_F(DiskCacheTest, AnEmptyListingRemovesNothing) {
  const auto cache = open();
  const FileName snapshot{FileType::kSnapshot, std::string(64, '1')};
  cache->keep(snapshot, as_bytes("snapshot"));
  keep(*cache, place_in(1, 0, 1000));
  cache->retain_snapshots({});
  cache->retain_indexed({}, [] { return std::vector<PackId>(); });
  cache->flush();
  EXPECT_TRUE(cache->read(snapshot));
  EXPECT_TRUE(has(*cache, place_in(1, 0, 1000)));
}

TEST_F(DiskCacheTest, OpeningItAndWritingToItCountsNothing) {
  keep(*open(), place_in(1, 0, 1000));
  const std::string before = testing::read_file(folder() / "usage");
  testing::write_file(folder() / "data" / pack_number(2).hex(), std::string(2 * kMiB, 'x'));
  const auto cache = open();
  keep(*cache, place_in(1, 0, 1000));
  EXPECT_EQ(testing::read_file(folder() / "usage"), before);
}

}  // namespace
}  // namespace restree
