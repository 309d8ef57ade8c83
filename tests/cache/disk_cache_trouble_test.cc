// A disk cache whose folder was deleted or spoilt under it, and one whose disk or company keeps it
// waiting.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "cache/cache_usage.h"
#include "cache/disk_cache.h"
#include "repo/base/log.h"
#include "tests/cache/disk_cache_fixture.h"
#include "tests/support/cache_places.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using testing::kMiB;
using testing::place_in;
using testing::value_of;

class DiskCacheTrouble : public DiskCacheTest {
 protected:
  DiskCacheTrouble() { EXPECT_OK(log::open_file(log_.string())); }
  std::size_t warnings() const {
    const std::string all = testing::read_file(log_);
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n'));
  }
  std::shared_ptr<DiskCache> open_without_pause() const {
    return value_of(DiskCache::open(base(), kId, kWide, std::chrono::milliseconds(0)));
  }
  const fs::path log_ = dir_.path() / "log";
};

TEST_F(DiskCacheTrouble, ACacheThatWasDeletedIsMadeAgainAndEachTimeIsReportedOnce) {
  const auto cache = open();
  for (unsigned time = 1; time <= 2; ++time) {
    keep(*cache, place_in(1, 0, 1000));
    fs::remove_all(base());
    for (unsigned i = 0; i < 5; ++i) {
      keep(*cache, place_in(2 + i, 0, 1000));
      EXPECT_TRUE(has(*cache, place_in(2 + i, 0, 1000)));
      EXPECT_FALSE(has(*cache, place_in(1, 0, 1000)));
    }
    EXPECT_EQ(warnings(), time);
    EXPECT_TRUE(fs::exists(file_of(place_in(2, 0, 1000))));
  }
}

TEST_F(DiskCacheTrouble, AFolderThatAnotherProgramMadeAgainIsUsed) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 1000));
  fs::remove_all(base());
  const auto other = open();
  keep(*other, place_in(2, 0, 1000));
  keep(*cache, place_in(3, 0, 1000));
  for (const unsigned pack : {2U, 3U}) {
    EXPECT_TRUE(has(*cache, place_in(pack, 0, 1000)));
    EXPECT_TRUE(has(*other, place_in(pack, 0, 1000)));
  }
  EXPECT_EQ(warnings(), 1U);
}

TEST_F(DiskCacheTrouble, ACacheThatWasMadeAgainDoesNotClaimToHoldAllSnapshots) {
  const auto cache = open();
  cache->retain_snapshots({std::string(64, '1')});
  cache->flush();
  EXPECT_TRUE(cache->listed());
  fs::remove_all(base());
  keep(*cache, place_in(1, 0, 1000));
  cache->retain_snapshots({std::string(64, '1'), std::string(64, '2')});
  cache->flush();
  EXPECT_FALSE(cache->listed());
}

TEST_F(DiskCacheTrouble, AFolderThatCannotBeMadeAgainIsReportedOnceAndTriedAgain) {
  const auto cache = open_without_pause();
  keep(*cache, place_in(1, 0, 1000));
  fs::remove_all(base());
  testing::write_file(base(), "");  // a file is in its place
  for (unsigned i = 0; i < 5; ++i) keep(*cache, place_in(i, 0, 1000));
  EXPECT_EQ(warnings(), 1U);
  fs::remove(base());
  keep(*cache, place_in(1, 0, 1000));
  EXPECT_TRUE(has(*cache, place_in(1, 0, 1000)));
  EXPECT_EQ(warnings(), 3U);  // it was made again; what is read is kept again
}

TEST_F(DiskCacheTrouble, EachChangeIsReportedOnce) {
  const auto cache = open_without_pause();
  for (unsigned time = 0; time < 3; ++time) {
    fs::remove_all(folder() / "data");
    testing::write_file(folder() / "data", "");
    for (unsigned i = 0; i < 3; ++i) keep(*cache, place_in(i, 0, 1000));
    EXPECT_EQ(warnings(), 2 * time + 1);
    fs::remove(folder() / "data");
    for (unsigned i = 0; i < 3; ++i) keep(*cache, place_in(i, 0, 1000));
    EXPECT_TRUE(has(*cache, place_in(1, 0, 1000)));
    EXPECT_EQ(warnings(), 2 * time + 2);
  }
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

}  // namespace
}  // namespace restree
