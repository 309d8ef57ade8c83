#include "tools/output/human.h"

#include <gtest/gtest.h>

namespace restree {
namespace {

TEST(Human, BytesAreInPowersOf1024) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1404), "1.371 KiB");
  EXPECT_EQ(format_bytes(std::uint64_t{3} << 30), "3.000 GiB");
}

TEST(Human, DurationsShowHoursOnlyWhenThereAreSome) {
  EXPECT_EQ(format_duration(std::chrono::seconds(5)), "0:05");
  EXPECT_EQ(format_duration(std::chrono::seconds(3599)), "59:59");
  EXPECT_EQ(format_duration(std::chrono::seconds(3723)), "1:02:03");
}

TEST(Human, APercentageIsNeverAboveAHundred) {
  EXPECT_EQ(format_percent(0, 0), "0.00%");
  EXPECT_EQ(format_percent(1, 3), "33.33%");
  EXPECT_EQ(format_percent(4, 3), "100.00%");
}

}  // namespace
}  // namespace restree
