#include "cache/disk_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "cache/cache_usage.h"
#include "repo/base/log.h"
#include "tests/cache/disk_cache_fixture.h"
#include "tests/support/cache_places.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kMiB;
using testing::names_in;
using testing::pack_number;
using testing::place_in;
using testing::TempDir;
using testing::value_of;

TEST_F(DiskCacheTest, ReturnsTheBytesItKept) {
  const auto cache = open();
  const SealedPlace place = place_in(1, 100, 5000);
  EXPECT_FALSE(has(*cache, place));
  keep(*cache, place);
  EXPECT_TRUE(has(*cache, place));
  EXPECT_TRUE(has(*open(), place));
  const CacheFigures figures = cache->figures();
  EXPECT_EQ(figures.hits, 1U);
  EXPECT_EQ(figures.hit_bytes, 5000U);
  EXPECT_EQ(figures.misses, 1U);
  EXPECT_EQ(figures.kept_bytes, 5000U);
}

TEST_F(DiskCacheTest, IsWrittenWhenItsOwnerEnds) {
  const SealedPlace place = place_in(1, 0, 3 * kMiB);
  {
    const auto cache = open();
    cache->keep(place, Bytes::copy_of(as_bytes(content_of(place))));
  }
  EXPECT_TRUE(has(*open(), place));
}

TEST_F(DiskCacheTest, DistinguishesDataAndTreesOfOnePack) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 500, BlobType::kTree));
  EXPECT_FALSE(has(*cache, place_in(1, 0, 500, BlobType::kData)));
  EXPECT_TRUE(has(*cache, place_in(1, 0, 500, BlobType::kTree)));
}

TEST_F(DiskCacheTest, AHoleBetweenNeighboursInOneBlockIsAMiss) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 1000));
  keep(*cache, place_in(1, 2000, 1000));
  EXPECT_FALSE(has(*cache, place_in(1, 1000, 1000)));
  EXPECT_FALSE(has(*cache, place_in(1, 500, 1000)));   // its end is not there
  EXPECT_FALSE(has(*cache, place_in(1, 1500, 1000)));  // its beginning is not there
  keep(*cache, place_in(1, 1000, 1000));
  for (const std::uint64_t offset : {0U, 1000U, 2000U}) {
    EXPECT_TRUE(has(*cache, place_in(1, offset, 1000)));
  }
}

TEST_F(DiskCacheTest, AHoleTakesNoPlace) {
  const auto cache = open();
  keep(*cache, place_in(1, 64 * kMiB, 1000));
  EXPECT_LT(bytes_on_disk(), kMiB);
  EXPECT_FALSE(has(*cache, place_in(1, 0, 32 * kMiB)));
}

TEST_F(DiskCacheTest, AHolePunchedIntoALargeRangeIsAMiss) {
  const auto cache = open();
  const SealedPlace place = place_in(1, 0, kMiB);
  keep(*cache, place);
  const UniqueFd fd(::open(file_of(place).c_str(), O_RDWR));
  ASSERT_EQ(::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 512 << 10, 4096), 0);
  EXPECT_FALSE(has(*cache, place));
  keep(*cache, place);
  EXPECT_TRUE(has(*cache, place));
}

TEST_F(DiskCacheTest, ATruncatedFileIsAMissWhereItEnds) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 10'000));
  keep(*cache, place_in(1, 10'000, 10'000));
  fs::resize_file(file_of(place_in(1, 0, 0)), 15'000);
  EXPECT_TRUE(has(*cache, place_in(1, 0, 10'000)));
  EXPECT_FALSE(has(*cache, place_in(1, 10'000, 10'000)));
}

TEST_F(DiskCacheTest, RejectedBytesAreReplaced) {
  const auto cache = open();
  const SealedPlace place = place_in(1, 0, 10'000);
  keep(*cache, place);
  testing::flip_byte(file_of(place), 5000);
  ASSERT_NE(as_text(cache->read(place).value()), content_of(place));
  cache->reject(place);
  keep(*cache, place);
  EXPECT_TRUE(has(*cache, place));
  EXPECT_EQ(cache->figures().damaged, 1U);
}

TEST_F(DiskCacheTest, KeepsFilesWhole) {
  const auto cache = open();
  const FileName file{FileType::kIndex, std::string(64, '1')};
  EXPECT_FALSE(cache->read(file));
  cache->keep(file, as_bytes("a long content"));
  cache->flush();
  cache->keep(file, as_bytes("short"));
  cache->flush();
  EXPECT_EQ(as_text(cache->read(file).value()), "short");
}

TEST_F(DiskCacheTest, OthersMayNotReadIt) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 100));
  for (const fs::path& path : {fs::path(base()), folder(), folder() / "data"}) {
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all) << path;
  }
  EXPECT_EQ(fs::status(file_of(place_in(1, 0, 0))).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(DiskCacheTest, IsMarkedAsACache) {
  open();
  EXPECT_THAT(testing::read_file(fs::path(base()) / "CACHEDIR.TAG"),
              ::testing::StartsWith("Signature: 8a477f597d28d172789f06886806bc55"));
}

TEST_F(DiskCacheTest, AFolderThatOthersMayWriteToIsRefused) {
  open();
  fs::permissions(folder(), fs::perms::others_write, fs::perm_options::add);
  EXPECT_THAT(DiskCache::open(base(), kId, kWide), FailsWith(ErrorKind::kDenied));
  fs::permissions(folder(), fs::perms::owner_all);
  fs::permissions(base(), fs::perms::group_write, fs::perm_options::add);
  EXPECT_THAT(DiskCache::open(base(), kId, kWide), FailsWith(ErrorKind::kDenied));
}

TEST_F(DiskCacheTest, AnotherUsersFolderIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  open();
  ASSERT_EQ(::chown(folder().c_str(), 4711, 4711), 0);
  EXPECT_THAT(DiskCache::open(base(), kId, kWide), FailsWith(ErrorKind::kDenied));
}

TEST_F(DiskCacheTest, ALinkInPlaceOfTheFolderIsRefused) {
  open();
  fs::remove_all(folder());
  fs::create_directory_symlink(dir_.path(), folder());
  EXPECT_FALSE(DiskCache::open(base(), kId, kWide));
}

TEST_F(DiskCacheTest, AFileInPlaceOfTheBaseIsAnError) {
  testing::write_file(dir_.path() / "cache", "");
  EXPECT_THAT(DiskCache::open(base(), kId, kWide), FailsWith(ErrorKind::kLocalIo));
}

// --- eviction and removal -----------------------------------------------------------------------

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

// --- trouble ------------------------------------------------------------------------------------

class DiskCacheTrouble : public DiskCacheTest {
 protected:
  DiskCacheTrouble() { EXPECT_OK(log::open_file(log_.string())); }
  std::size_t warnings() const {
    const std::string all = testing::read_file(log_);
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n'));
  }
  const fs::path log_ = dir_.path() / "log";
};

TEST_F(DiskCacheTrouble, ACacheThatWasDeletedIsNotUsedAnyMore) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 1000));
  fs::remove_all(base());
  for (unsigned i = 0; i < 5; ++i) {
    keep(*cache, place_in(2 + i, 0, 1000));
    EXPECT_FALSE(has(*cache, place_in(1, 0, 1000)));
  }
  EXPECT_EQ(warnings(), 1U);
  EXPECT_FALSE(fs::exists(base()));
}

TEST_F(DiskCacheTrouble, AFolderThatWasEmptiedIsFilledAgain) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 1000));
  for (const auto& entry : fs::directory_iterator(folder())) fs::remove_all(entry.path());
  keep(*cache, place_in(2, 0, 1000));
  EXPECT_TRUE(has(*cache, place_in(2, 0, 1000)));
  EXPECT_EQ(warnings(), 0U);
}

TEST_F(DiskCacheTrouble, AFileWhereAFolderShouldBeIsReportedOnce) {
  const auto cache = open();
  testing::write_file(folder() / "data", "");
  for (unsigned i = 0; i < 5; ++i) keep(*cache, place_in(i, 0, 1000));
  EXPECT_FALSE(has(*cache, place_in(1, 0, 1000)));
  EXPECT_EQ(warnings(), 1U);
}

// A disk that hangs is imitated by another user of the cache that does not end its turn.
TEST_F(DiskCacheTest, ADiskThatStopsForAMomentLosesOnlyPartsReadMeanwhile) {
  CacheLimits limits = kWide;
  limits.turn_patience = std::chrono::minutes(2);  // so that the writer waits until the disk works
  const auto cache = open(limits);
  keep(*cache, place_in(0, 0, kMiB));
  const CacheFolder same = value_of(CacheFolder::open(base(), kId));
  CacheUsage other(same);
  const std::string content(kMiB, 'x');
  unsigned pack = 0;
  const auto read_next = [&] {
    const SealedPlace place = place_in(++pack, 0, kMiB);
    cache->keep(place, Bytes::copy_of(as_bytes(content)));
    return place;
  };
  {
    const auto turn = value_of(other.take_turn(Deadline::after(std::chrono::seconds(5))));
    while (cache->figures().dropped == 0 && pack < 50) read_next();
    ASSERT_EQ(cache->figures().dropped, 1U);
    EXPECT_GT(pack, DiskCache::kQueueBytes / kMiB);
    // The reader has waited once; further reads do not wait.
    std::vector<Bytes> read(20);
    for (Bytes& bytes : read) bytes = Bytes::copy_of(as_bytes(content));
    const auto begin = std::chrono::steady_clock::now();
    for (Bytes& bytes : read) cache->keep(place_in(++pack, 0, kMiB), std::move(bytes));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, limits.queue_patience);
    EXPECT_EQ(cache->figures().dropped, 21U);
  }
  cache->flush();
  EXPECT_TRUE(cache->read(place_in(1, 0, kMiB)));
  const SealedPlace later = read_next();
  cache->flush();
  EXPECT_TRUE(cache->read(later));
  EXPECT_EQ(cache->figures().dropped, 21U);
}

TEST_F(DiskCacheTest, OnlyPartsThatWaitTooLongForAnotherProcessAreDropped) {
  CacheLimits limits = kWide;
  limits.turn_patience = std::chrono::milliseconds(500);
  const auto cache = open(limits);
  keep(*cache, place_in(0, 0, kMiB));
  const CacheFolder same = value_of(CacheFolder::open(base(), kId));
  CacheUsage other(same);
  {
    const auto turn = value_of(other.take_turn(Deadline::after(std::chrono::seconds(5))));
    keep(*cache, place_in(1, 0, kMiB));
    EXPECT_EQ(cache->figures().dropped, 1U);
  }
  keep(*cache, place_in(2, 0, kMiB));
  EXPECT_FALSE(has(*cache, place_in(1, 0, kMiB)));
  EXPECT_TRUE(has(*cache, place_in(2, 0, kMiB)));
}

TEST_F(DiskCacheTest, NamesTheFilesThatItHas) {
  const auto cache = open();
  EXPECT_THAT(cache->names(FileType::kIndex), IsEmpty());
  cache->keep({FileType::kIndex, std::string(64, '1')}, as_bytes("one"));
  cache->keep({FileType::kSnapshot, std::string(64, '2')}, as_bytes("two"));
  cache->flush();
  EXPECT_THAT(cache->names(FileType::kIndex), ::testing::ElementsAre(std::string(64, '1')));
  EXPECT_THAT(cache->names(FileType::kSnapshot), ::testing::ElementsAre(std::string(64, '2')));
}

TEST_F(DiskCacheTest, KnowsWhenTheRepositoryLastListedItsSnapshots) {
  using std::chrono::system_clock;
  const auto before = std::chrono::floor<std::chrono::seconds>(system_clock::now());
  {
    const auto cache = open();
    EXPECT_EQ(cache->listed(), std::nullopt);
    cache->retain_snapshots({});
    cache->flush();
    EXPECT_EQ(cache->listed(), std::nullopt);
    cache->retain_snapshots({std::string(64, '1')});
  }
  const auto listed = open()->listed();
  ASSERT_TRUE(listed);
  EXPECT_GE(*listed, before);
  EXPECT_LE(*listed, system_clock::now());
}

TEST_F(DiskCacheTest, AnUnreadableTimeOfTheLastListingCountsAsMissing) {
  fs::create_directories(folder());
  for (const char* text : {"", "x", "-"}) {
    testing::write_file(folder() / "listed", text);
    EXPECT_EQ(open()->listed(), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace restree
