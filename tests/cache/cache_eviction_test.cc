#include "cache/cache_eviction.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr CachedKind kData = CachedKind::kData;
constexpr CachedKind kTree = CachedKind::kTree;
constexpr CachedKind kFile = CachedKind::kFile;

const std::vector<CachedFile> kFiles = {{kTree, "old tree", 10, 1}, {kFile, "old index", 10, 0},
                                        {kData, "new data", 10, 9}, {kTree, "new tree", 10, 8},
                                        {kData, "old data", 10, 2}, {kData, "used data", 10, 5}};

std::vector<std::string> evicted_for(CachedKind incoming, std::uint64_t bytes) {
  std::vector<std::string> paths;
  for (const auto& file : choose_evictions(kFiles, incoming, bytes)) paths.push_back(file.path);
  return paths;
}

TEST(CacheEviction, NothingIsEvictedIfNoBytesAreWanted) {
  EXPECT_THAT(evicted_for(kFile, 0), IsEmpty());
}

TEST(CacheEviction, TheOldestDataGoFirst) {
  EXPECT_THAT(evicted_for(kData, 11), ElementsAre("old data", "used data"));
}

TEST(CacheEviction, DataPushOutDataOnly) {
  EXPECT_THAT(evicted_for(kData, 1000), ElementsAre("old data", "used data", "new data"));
  EXPECT_EQ(evictable_bytes(kFiles, kData), 30U);
}

TEST(CacheEviction, TreesPushOutTreesOnceAllDataAreGone) {
  EXPECT_THAT(evicted_for(kTree, 31), ElementsAre("old data", "used data", "new data", "old tree"));
  EXPECT_EQ(evictable_bytes(kFiles, kTree), 50U);
}

TEST(CacheEviction, FilesPushOutAllPacksAndNoFile) {
  EXPECT_THAT(evicted_for(kFile, 1000),
              ElementsAre("old data", "used data", "new data", "old tree", "new tree"));
  EXPECT_EQ(evictable_bytes(kFiles, kFile), 50U);
}

}  // namespace
}  // namespace restree
