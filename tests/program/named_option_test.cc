#include "program/named_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <type_traits>

#include "program/cache_settings.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::value_of;

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

TEST(ParseSize, CountsIn64BitsOnEveryProcessor) {
  static_assert(std::is_same_v<decltype(parse_size("", ""))::value_type, std::uint64_t>);
  EXPECT_EQ(value_of(parse_size("cache_size", "4100M")), std::uint64_t{4100} << 20);
  EXPECT_EQ(value_of(parse_size("cache_min_free", "4G")), 4 * kGib);
  EXPECT_THAT(parse_size("cache_size", "4000T"), FailsWith(ErrorKind::kInvalid));
}

TEST(ParseSize, BytesInMemoryAreRefusedWhere32BitsCannotCountThem) {
  using Size = std::uint32_t;
  EXPECT_EQ(value_of(parse_memory_size<Size>("memory", "64M")), Size{64} << 20);
  EXPECT_EQ(value_of(parse_memory_size<Size>("memory", "4294967295")), 4294967295);
  for (const char* value : {"4G", "4100M", "4294967296", "1T"}) {
    const auto refused = parse_memory_size<Size>("memory", value);
    ASSERT_THAT(refused, FailsWith(ErrorKind::kInvalid)) << value;
    EXPECT_THAT(refused.error().message(), HasSubstr(std::string("memory=") + value));
  }
  EXPECT_EQ(value_of(parse_memory_size<std::uint64_t>("memory", "4G")), 4 * kGib);
}

TEST(ParseSize, SettingsOfTheCacheKeepSizesBeyond32Bits) {
  CacheSettings settings;
  const auto set = [&](const std::string& word) {
    return apply_option(*find_option(cache_limit_options(), word), word, settings);
  };
  ASSERT_TRUE(set("cache_size=4100M"));
  ASSERT_TRUE(set("cache_min_free=4G"));
  EXPECT_EQ(settings.limits.size_bytes, std::uint64_t{4100} << 20);
  EXPECT_EQ(settings.limits.least_free_bytes, 4 * kGib);
}

}  // namespace
}  // namespace restree
