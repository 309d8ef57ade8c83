#include "cache/disk_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/cache/disk_cache_fixture.h"
#include "tests/support/cache_places.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::content_of;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::kMiB;
using testing::place_in;

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
  ASSERT_NE(as_text(value_of(cache->read(place))), content_of(place));
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
  EXPECT_EQ(as_text(value_of(cache->read(file))), "short");
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

TEST_F(DiskCacheTest, ACacheInAnotherUsersFolderIsRefusedAndNothingIsMadeThere) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  const fs::path theirs = dir_.path() / "theirs";
  fs::create_directory(theirs);
  ASSERT_EQ(::chown(theirs.c_str(), 4711, 4711), 0);
  EXPECT_THAT(DiskCache::open((theirs / "restree").string(), kId, kWide),
              FailsWith(ErrorKind::kDenied));
  EXPECT_TRUE(fs::is_empty(theirs));
}

TEST_F(DiskCacheTest, AnotherUsersLinkInPlaceOfTheBaseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a link away";
  const fs::path mine = dir_.path() / "mine";
  fs::create_directory(mine);
  fs::permissions(mine, fs::perms::owner_all);
  fs::create_directories(fs::path(base()).parent_path());
  fs::create_directory_symlink(mine, base());
  ASSERT_EQ(::lchown(base().c_str(), 4711, 4711), 0);
  EXPECT_THAT(DiskCache::open(base(), kId, kWide), FailsWith(ErrorKind::kDenied));
  EXPECT_TRUE(fs::is_empty(mine));
  ASSERT_EQ(::lchown(base().c_str(), ::geteuid(), ::getegid()), 0);
  open();
}

TEST_F(DiskCacheTest, AFolderOfDataIsNotMarkedAsACache) {
  fs::create_directories(base());
  fs::permissions(base(), fs::perms::owner_all);
  testing::write_file(fs::path(base()) / "letter", "dear");
  open();
  EXPECT_FALSE(fs::exists(fs::path(base()) / "CACHEDIR.TAG"));
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
  const auto listed = value_of(open()->listed());
  EXPECT_GE(listed, before);
  EXPECT_LE(listed, system_clock::now());
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
