#include "repo/text/go_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::value_of;

// 2026-03-07 04:05:09 UTC, a Saturday and the 66th day.
std::string written(const std::string& layout) {
  const std::time_t seconds = 1'772'856'309;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 256> text{};
  const std::string format = value_of(strftime_of_go_layout(layout));
  return {text.data(), std::strftime(text.data(), text.size(), format.c_str(), &parts)};
}

struct Written {
  std::string layout;
  std::string text;  // as Go writes this time, in UTC
};

class GoLayout : public ::testing::TestWithParam<Written> {};

TEST_P(GoLayout, IsWrittenAsGoWritesIt) { EXPECT_EQ(written(GetParam().layout), GetParam().text); }

INSTANTIATE_TEST_SUITE_P(
    OfItsOwn, GoLayout,
    ::testing::Values(Written{"2006-01-02T15:04:05Z07:00", "2026-03-07T04:05:09Z"},
                      Written{"Mon Jan _2 15:04:05 2006", "Sat Mar  7 04:05:09 2026"},
                      Written{"Mon Jan _2 15:04:05 MST 2006", "Sat Mar  7 04:05:09 UTC 2026"},
                      Written{"Mon Jan 02 15:04:05 -0700 2006", "Sat Mar 07 04:05:09 +0000 2026"},
                      Written{"02 Jan 06 15:04 MST", "07 Mar 26 04:05 UTC"},
                      Written{"Monday, 02-Jan-06 15:04:05 MST", "Saturday, 07-Mar-26 04:05:09 UTC"},
                      Written{"Mon, 02 Jan 2006 15:04:05 -0700", "Sat, 07 Mar 2026 04:05:09 +0000"},
                      Written{"3:04PM", "4:05AM"},
                      Written{"2006-01-02 15:04:05", "2026-03-07 04:05:09"}));

INSTANTIATE_TEST_SUITE_P(
    Words, GoLayout,
    ::testing::Values(Written{"1/2", "3/7"}, Written{"3h4m5s", "4h5m9s"}, Written{"03pm", "04am"},
                      Written{"002", "066"}, Written{"__2", " 66"}, Written{"_2006", "_2026"},
                      Written{"January", "March"}, Written{"06 -07", "26 +00"},
                      Written{"06 -07:00", "26 +00:00"}, Written{"06 -070000", "26 +000000"},
                      Written{"06 -07:00:00", "26 +00:00:00"}, Written{"06 Z0700", "26 Z"},
                      Written{"06 Z07", "26 Z"}, Written{"06 Z070000", "26 Z"},
                      Written{"06 Z07:00:00", "26 Z"}));

// What is not quite a word of Go's is text.
INSTANTIATE_TEST_SUITE_P(Text, GoLayout,
                         ::testing::Values(Written{"Janet Month 06", "Janet Month 26"},
                                           Written{"100%06", "300%26"}, Written{"%Y 06", "%Y 26"},
                                           Written{"06 - Z P p _ 0 7", "26 - Z P p _ 0 7"},
                                           Written{"06.x,.8", "26.x,.8"},
                                           Written{"06.0001", "26.0003"},
                                           Written{"ümläut 06", "ümläut 26"}));

TEST(GoLayoutRefused, FractionsOfSecondsAreNamed) {
  for (const char* fraction : {".000", ".999999", ",0", ".9"}) {
    const auto refused = strftime_of_go_layout(std::string("05") + fraction + " x");
    ASSERT_THAT(refused, FailsWith(ErrorKind::kInvalid));
    EXPECT_THAT(refused.error().message(), HasSubstr(fraction));
  }
}

// strftime's own words are none to Go, which would give every snapshot the same name.
TEST(GoLayoutRefused, WhatTellsNoPartOfATime) {
  for (const char* layout : {"", "x", "%Y-%m-%d", "MST", "Z07:00"}) {
    EXPECT_THAT(strftime_of_go_layout(layout), FailsWith(ErrorKind::kInvalid)) << layout;
  }
}

}  // namespace
}  // namespace restree
