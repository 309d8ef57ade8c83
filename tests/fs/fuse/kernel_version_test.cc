#include "fs/fuse/kernel_version.h"

#include <gtest/gtest.h>

namespace restree {
namespace {

TEST(KernelVersion, NewKernelsFillTheLastPageWithZeros) {
  for (const char* release : {"6.11.0", "6.12.43+deb13-amd64", "6.18.44", "7.0.1-arch1", "10.0"}) {
    EXPECT_TRUE(zeroes_ends_of_files(release, "#1 SMP")) << release;
  }
}

TEST(KernelVersion, OlderOnesDoSinceTheyWereMended) {
  EXPECT_FALSE(zeroes_ends_of_files("6.1.106", "#1 SMP"));
  EXPECT_TRUE(zeroes_ends_of_files("6.1.107", "#1 SMP"));
  EXPECT_FALSE(zeroes_ends_of_files("5.10.224", "#1 SMP"));
  EXPECT_TRUE(zeroes_ends_of_files("5.10.225-custom", "#1 SMP"));
  for (const char* release : {"6.9.12", "6.7.0", "5.14.0-503.el9.x86_64", "4.18.0-553.el8"}) {
    EXPECT_FALSE(zeroes_ends_of_files(release, "#1 SMP")) << release;
  }
}

TEST(KernelVersion, OfDebianStandsInTheVersion) {
  EXPECT_TRUE(zeroes_ends_of_files("6.1.0-28-amd64",
                                   "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)"));
  EXPECT_FALSE(zeroes_ends_of_files("6.1.0-23-amd64",
                                    "#1 SMP PREEMPT_DYNAMIC Debian 6.1.99-1 (2024-07-15)"));
}

TEST(KernelVersion, ThatCannotBeReadIsTakenForAnOldOne) {
  for (const char* release : {"", "6", "linux", "6.x"}) {
    EXPECT_FALSE(zeroes_ends_of_files(release, "")) << release;
  }
}

}  // namespace
}  // namespace restree
