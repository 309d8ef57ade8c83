#include "repo/retention/retention_policy.h"

#include <gmock/gmock.h>

#include "tests/retention/written_policy.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::policy;
using testing::value_of;

TEST(KeepCount, IsANumberOrUnlimited) {
  EXPECT_EQ(value_of(parse_keep_count("7")), 7);
  EXPECT_EQ(value_of(parse_keep_count("+3")), 3);
  EXPECT_EQ(value_of(parse_keep_count("007")), 7);
  EXPECT_EQ(value_of(parse_keep_count("unlimited")), RetentionPolicy::kUnlimited);
}

// What restic 0.19.1 says of these values.
TEST(KeepCount, RefusesInResticsWords) {
  const auto words = [](std::string_view text) {
    const auto refused = parse_keep_count(text);
    EXPECT_THAT(refused, FailsWith(ErrorKind::kInvalid)) << text;
    return refused ? "" : refused.error().message();
  };
  EXPECT_EQ(words("-1"), "negative values not allowed, use 'unlimited' instead");
  for (const std::string text : {"", "x", "1.5", "0x10", "+-1", "Unlimited", "1 "}) {
    EXPECT_EQ(words(text), "strconv.ParseInt: parsing \"" + text + "\": invalid syntax");
  }
  EXPECT_EQ(words("99999999999999999999"),
            "strconv.ParseInt: parsing \"99999999999999999999\": value out of range");
}

// As restic 0.19.1 prints them behind "Applying Policy: ".
TEST(RetentionPolicy, DescribesItselfAsResticDoes) {
  EXPECT_EQ(policy("").description(), "remove");
  EXPECT_EQ(policy("last=2").description(), "keep 2 latest snapshots");
  EXPECT_EQ(policy("hourly=1 daily=2 weekly=3 monthly=4 yearly=5").description(),
            "keep 1 hourly, 2 daily, 3 weekly, 4 monthly, 5 yearly snapshots");
  EXPECT_EQ(policy("last=unlimited yearly=unlimited").description(),
            "keep all latest, all yearly snapshots");
  EXPECT_EQ(policy("within=1y").description(), "keep all snapshots within 1y of the newest");
  EXPECT_EQ(policy("within=1d tag=a").description(),
            "keep all snapshots with tags [[a]] and all snapshots within 1d of the newest");
  EXPECT_EQ(policy("tag= tag=a,b,").description(), "keep all snapshots with tags [[] [a, b, ]]");
  EXPECT_EQ(policy("within-weekly=1y within-hourly=2h within=1d").description(),
            "keep hourly snapshots within 2h, weekly snapshots within 1y and all snapshots within "
            "1d of the newest");
  EXPECT_EQ(policy("last=2 daily=unlimited within-weekly=2y tag=a,b within=1y1d1m").description(),
            "keep 2 latest, all daily snapshots, weekly snapshots within 2y and all snapshots with "
            "tags [[a, b]] and all snapshots within 1y1m1d of the newest");
}

TEST(RetentionPolicy, WithoutAnyRuleIsEmpty) {
  EXPECT_TRUE(policy("").empty());
  EXPECT_TRUE(policy("last=0 within=0d").empty());
  for (const char* rules : {"last=1", "yearly=unlimited", "within=1h", "within-daily=1y", "tag="}) {
    EXPECT_FALSE(policy(rules).empty()) << rules;
  }
}

TEST(RetentionPolicy, TakesNoNegativeSpans) {
  EXPECT_OK(policy("within=1y").check());
  EXPECT_THAT(policy("within=1y-1d").check(), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(policy("within-weekly=-1h").check(), FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace restree
