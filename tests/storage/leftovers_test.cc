// Where the leftovers of writes that were cut off are looked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "repo/storage/storage.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(Leftovers, LieInEveryFolder) {
  const std::vector<std::string> folders = Leftovers{.before = {}}.folders();
  EXPECT_THAT(folders, Contains("locks"));
  EXPECT_THAT(folders, Contains("snapshots"));
  EXPECT_THAT(folders, Contains("data/ff"));
}

// Whoever waits for a lock writes one meanwhile.
TEST(Leftovers, OfPacksAloneAreNotLookedForAmongLocks) {
  const auto folders = Leftovers{.before = {}, .only_packs = true}.folders();
  EXPECT_THAT(folders, SizeIs(256));
  EXPECT_THAT(folders, Each(StartsWith("data/")));
}

}  // namespace
}  // namespace restree
