#include "repo/text/time_words.h"

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;

std::string parsed(const std::string& text) {
  return format_timestamp(testing::value_of(parse_time_words(text, TimeZone())));
}

TEST(TimeWords, AreADateAndPerhapsATimeAndAZone) {
  EXPECT_EQ(parsed("2026-09-01"), "2026-09-01T00:00:00Z");
  EXPECT_EQ(parsed("2026-09-01 03:04"), "2026-09-01T03:04:00Z");
  EXPECT_EQ(parsed("2026-09-01 03:04:05"), "2026-09-01T03:04:05Z");
  EXPECT_EQ(parsed("2026-09-01 03:04:05 +0200"), "2026-09-01T01:04:05Z");
  EXPECT_EQ(parsed("01.09.2026 03:04"), "2026-09-01T03:04:00Z");
}

TEST(TimeWords, OtherFormsAreRefused) {
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-09-01 03", "2026-09-01 25:00",
                           "2026-09-01 03:04:05 CET extra", "2026-09-01 03:04 +0200"}) {
    EXPECT_THAT(parse_time_words(text, TimeZone()), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

}  // namespace
}  // namespace restree
