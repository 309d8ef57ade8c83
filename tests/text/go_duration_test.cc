#include "repo/text/go_duration.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace restree {
namespace {

TEST(GoDuration, IsWrittenAsGoWritesIt) {
  const auto after = [](std::int64_t seconds, std::uint32_t nanoseconds) {
    return go_duration_between({100, 0}, {100 + seconds, nanoseconds});
  };
  EXPECT_EQ(after(0, 0), "0s");
  EXPECT_EQ(after(0, 999), "999ns");
  EXPECT_EQ(after(0, 1'500), "1.5\u00b5s");
  EXPECT_EQ(after(0, 250'000'000), "250ms");
  EXPECT_EQ(after(1, 200'000'000), "1.2s");
  EXPECT_EQ(after(63, 500'000'000), "1m3.5s");
  EXPECT_EQ(after(3600, 0), "1h0m0s");
  EXPECT_EQ(after(90'061, 1), "25h1m1.000000001s");
}

TEST(GoDuration, AnyTwoTimesHaveOne) {
  EXPECT_EQ(go_duration_between({0, 0}, {-1, 0}), "0s");
  EXPECT_EQ(go_duration_between({1, 900'000'000}, {2, 0}), "100ms");
  EXPECT_EQ(go_duration_between({INT64_MIN, 0}, {INT64_MAX, 0}), "2562047h47m16.854775807s");
}

}  // namespace
}  // namespace restree
