// The merged index in a cache: complete, counted, and written by one process at a time.
#include <unistd.h>

#include <chrono>
#include <string>

#include "cache/cache_usage.h"
#include "tests/cache/disk_cache_fixture.h"

namespace restree {
namespace {

using testing::kMiB;
using testing::names_in;
using testing::place_in;
using testing::value_of;

// A cache whose merged index is any text that the tests write.
class MergedIndexInCache : public DiskCacheTest {
 protected:
  static auto writing(const std::string& content) {
    return [content](int fd) -> Status {
      EXPECT_EQ(::pwrite(fd, content.data(), content.size(), 0),
                static_cast<ssize_t>(content.size()));
      EXPECT_EQ(::ftruncate(fd, static_cast<off_t>(content.size())), 0);
      return {};
    };
  }
  static std::string merged_in(DiskCache& cache) {
    const UniqueFd fd = cache.open_merged_index();
    if (!fd) return "none";
    std::string content(2 * kMiB, '\0');
    content.resize(static_cast<std::size_t>(::pread(fd.get(), content.data(), content.size(), 0)));
    return content;
  }
  std::uint64_t counted() {
    CacheFolder folder = value_of(CacheFolder::open(base(), kId));
    CacheUsage usage(folder);
    return value_of(usage.take_turn(Deadline::after(std::chrono::seconds(5))))
        .counts()
        .value_or(CacheCounts())
        .bytes;
  }
  // All files but the one that holds the count are counted.
  std::uint64_t to_be_counted() {
    std::uint64_t sum = 0;
    for (const CachedFile& file : value_of(CacheFolder::open(base(), kId)).scan()) {
      sum += file.bytes;
    }
    return sum;
  }
};

// What a prune has found out lies beside it, and is kept in the same way.
TEST_F(MergedIndexInCache, LeavesTheMarksOfAPruneAlone) {
  const auto cache = open();
  EXPECT_FALSE(cache->read_marks().has_value());
  EXPECT_TRUE(cache->keep_marks(as_bytes("the first marks, which are longer")));
  EXPECT_TRUE(cache->keep_merged_index(2 * kMiB, writing("an index")));
  EXPECT_TRUE(cache->keep_marks(as_bytes("the second marks")));
  const std::optional<Bytes> marks = open()->read_marks();
  ASSERT_TRUE(marks.has_value());
  EXPECT_EQ(as_text(*marks), "the second marks");
  EXPECT_EQ(merged_in(*cache), "an index");
  EXPECT_EQ(counted(), to_be_counted());
}

TEST_F(MergedIndexInCache, IsReplacedAsAWhole) {
  const auto cache = open();
  EXPECT_EQ(merged_in(*cache), "none");
  const std::string first(kMiB, '1');
  EXPECT_TRUE(cache->keep_merged_index(2 * kMiB, writing(first)));
  EXPECT_EQ(merged_in(*cache), first);
  const UniqueFd old = cache->open_merged_index();
  EXPECT_TRUE(open()->keep_merged_index(kMiB, writing("second")));
  EXPECT_EQ(merged_in(*cache), "second");
  std::string still(1, '\0');
  EXPECT_EQ(::pread(old.get(), still.data(), 1, kMiB - 1), 1);
  EXPECT_EQ(still, "1");
  EXPECT_EQ(counted(), to_be_counted());
  EXPECT_THAT(names_in(folder()), ::testing::Not(::testing::Contains("merged.new")));
}

TEST_F(MergedIndexInCache, CountsFromTheMomentItsWritingBegins) {
  const auto cache = open();
  EXPECT_TRUE(cache->keep_merged_index(8 * kMiB, [&](int) -> Status {
    EXPECT_GE(counted(), 8 * kMiB);
    EXPECT_GE(to_be_counted(), 8 * kMiB);
    return {};
  }));
  EXPECT_EQ(counted(), to_be_counted());
}

TEST_F(MergedIndexInCache, IsWrittenByOneProcessWhileOthersKeepParts) {
  const auto cache = open();
  const auto other = open();
  EXPECT_TRUE(cache->keep_merged_index(kMiB, [&](int fd) -> Status {
    EXPECT_FALSE(other->keep_merged_index(kMiB, writing("other")));
    keep(*other, place_in(1, 0, 1000));
    keep(*cache, place_in(2, 0, 1000));
    return writing("first")(fd);
  }));
  EXPECT_EQ(merged_in(*other), "first");
  EXPECT_TRUE(has(*cache, place_in(1, 0, 1000)));
  EXPECT_TRUE(has(*other, place_in(2, 0, 1000)));
}

TEST_F(MergedIndexInCache, ThatCouldNotBeWrittenLeavesTheOneBefore) {
  const auto cache = open();
  EXPECT_TRUE(cache->keep_merged_index(kMiB, writing("first")));
  EXPECT_FALSE(cache->keep_merged_index(
      kMiB, [](int) -> Status { return Error(ErrorKind::kCancelled, "the program ends"); }));
  EXPECT_EQ(merged_in(*cache), "first");
  EXPECT_EQ(counted(), to_be_counted());
  keep(*cache, place_in(1, 0, 1000));  // the cache itself goes on
  EXPECT_TRUE(has(*cache, place_in(1, 0, 1000)));
}

TEST_F(MergedIndexInCache, TheDraftOfAKilledWriterIsOverwritten) {
  const auto cache = open();
  keep(*cache, place_in(1, 0, 1000));
  testing::write_file(folder() / "merged.new", std::string(kMiB, 'x'));
  EXPECT_TRUE(cache->keep_merged_index(kMiB, writing("whole")));
  EXPECT_EQ(merged_in(*cache), "whole");
  EXPECT_EQ(counted(), to_be_counted());
}

TEST_F(MergedIndexInCache, PushesOutPacksButTakesNoLargePartOfTheLimit) {
  CacheLimits limits = kWide;
  limits.size_bytes = 16 * kMiB;
  const auto cache = open(limits);
  for (unsigned pack = 0; pack < 16; ++pack) keep(*cache, place_in(pack, 0, kMiB));
  EXPECT_FALSE(cache->keep_merged_index(3 * kMiB, writing("large")));
  EXPECT_EQ(merged_in(*cache), "none");
  const std::string content(2 * kMiB - 1, 'c');
  EXPECT_TRUE(cache->keep_merged_index(2 * kMiB, writing(content)));
  EXPECT_EQ(merged_in(*cache), content);
  EXPECT_LE(bytes_on_disk(), limits.size_bytes);
}

}  // namespace
}  // namespace restree
