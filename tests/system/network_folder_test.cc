#include "repo/system/network_folder.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace restree {
namespace {

TEST(NetworkFolder, AFolderOnADiskOfThisMachineIsNone) {
  const testing::TempDir dir;
  EXPECT_FALSE(is_network_folder(dir.path().string()));
  EXPECT_FALSE(is_network_folder("/proc"));
}

TEST(NetworkFolder, OfAFolderThatIsToBeMadeTheOneAboveCounts) {
  const testing::TempDir dir;
  EXPECT_FALSE(is_network_folder((dir.path() / "a/b/c").string()));
  EXPECT_FALSE(is_network_folder("not-there"));
}

TEST(NetworkFolder, AFileInPlaceOfAFolderIsNone) {
  EXPECT_FALSE(is_network_folder("/proc/self/status/below"));
}

}  // namespace
}  // namespace restree
