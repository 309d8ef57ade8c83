#include "program/command_line/go_values.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <limits>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::value_of;

std::string why(const auto& result) { return result ? "it is accepted" : result.error().message(); }

TEST(GoInteger, HasAnyBaseAndUnderscores) {
  EXPECT_EQ(value_of(parse_go_int("0")), 0);
  EXPECT_EQ(value_of(parse_go_int("+12")), 12);
  EXPECT_EQ(value_of(parse_go_int("-12")), -12);
  EXPECT_EQ(value_of(parse_go_uint("0x1F")), 31U);
  EXPECT_EQ(value_of(parse_go_uint("0b101")), 5U);
  EXPECT_EQ(value_of(parse_go_uint("0o17")), 15U);
  EXPECT_EQ(value_of(parse_go_uint("017")), 15U);
  EXPECT_EQ(value_of(parse_go_uint("1_000")), 1000U);
  EXPECT_EQ(value_of(parse_go_uint("0x_1")), 1U);
}

TEST(GoInteger, GoesUpToItsLimits) {
  using Int = std::numeric_limits<std::int64_t>;
  EXPECT_EQ(value_of(parse_go_int("9223372036854775807")), Int::max());
  EXPECT_EQ(value_of(parse_go_int("-9223372036854775808")), Int::min());
  EXPECT_EQ(value_of(parse_go_uint("18446744073709551615")),
            std::numeric_limits<std::uint64_t>::max());
  for (const char* text :
       {"9223372036854775808", "-9223372036854775809", "1_0000000000000000000"}) {
    EXPECT_EQ(why(parse_go_int(text)),
              std::string("strconv.ParseInt: parsing \"") + text + "\": value out of range");
  }
  EXPECT_EQ(why(parse_go_uint("18446744073709551616")),
            "strconv.ParseUint: parsing \"18446744073709551616\": value out of range");
}

TEST(GoInteger, RefusesAllElse) {
  for (const char* text : {"", "-", "+", "x", "1x", " 1", "1 ", "1.5", "0x", "08", "0b2", "_1",
                           "1_", "1__0", "0_x1", "--1", "0x_"}) {
    EXPECT_EQ(why(parse_go_int(text)),
              "strconv.ParseInt: parsing " + go_quoted(text) + ": invalid syntax");
  }
  for (const char* text : {"-1", "+1"}) {
    EXPECT_EQ(why(parse_go_uint(text)),
              "strconv.ParseUint: parsing " + go_quoted(text) + ": invalid syntax");
  }
}

TEST(GoBool, HasTwelveWords) {
  for (const char* text : {"1", "t", "T", "true", "TRUE", "True"}) {
    EXPECT_TRUE(value_of(parse_go_bool(text))) << text;
  }
  for (const char* text : {"0", "f", "F", "false", "FALSE", "False"}) {
    EXPECT_FALSE(value_of(parse_go_bool(text))) << text;
  }
  for (const char* text : {"", "yes", "tRUE", "2"}) EXPECT_FALSE(parse_go_bool(text)) << text;
}

TEST(GoDuration, IsASumOfNumbersWithUnits) {
  EXPECT_EQ(value_of(parse_go_duration("5m")), 5min);
  EXPECT_EQ(value_of(parse_go_duration("1h30m")), 90min);
  EXPECT_EQ(value_of(parse_go_duration("1.5h")), 90min);
  EXPECT_EQ(value_of(parse_go_duration(".5s")), 500ms);
  EXPECT_EQ(value_of(parse_go_duration("5.s")), 5s);
  EXPECT_EQ(value_of(parse_go_duration("100ms")), 100ms);
  EXPECT_EQ(value_of(parse_go_duration("3\u00b5s")), 3us);
  EXPECT_EQ(value_of(parse_go_duration("-2s")), -2s);
  EXPECT_EQ(value_of(parse_go_duration("0")), 0s);
  EXPECT_EQ(value_of(parse_go_duration("9223372036854775807ns")), 9223372036854775807ns);
}

TEST(GoDuration, IsRefusedInGosWords) {
  EXPECT_EQ(why(parse_go_duration("5")), "time: missing unit in duration \"5\"");
  EXPECT_EQ(why(parse_go_duration("5x")), "time: unknown unit \"x\" in duration \"5x\"");
  EXPECT_EQ(why(parse_go_duration("1h 2m")), "time: unknown unit \"h \" in duration \"1h 2m\"");
  for (const char* text : {"", "+", "m", "soon", ".s", "99999999h", "9223372036854775808ns",
                           "9223372036854775807ns1ns", "infs", "nans"}) {
    EXPECT_EQ(why(parse_go_duration(text)), std::string("time: invalid duration \"") + text + "\"");
  }
}

TEST(GoCsv, PartsAtCommasOutsideOfQuotes) {
  EXPECT_THAT(value_of(parse_go_csv("")), IsEmpty());
  EXPECT_THAT(value_of(parse_go_csv("a")), ElementsAre("a"));
  EXPECT_THAT(value_of(parse_go_csv("a,,b,")), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(value_of(parse_go_csv(R"("a,b",c,"d ""e""")")), ElementsAre("a,b", "c", R"(d "e")"));
  EXPECT_THAT(value_of(parse_go_csv("a=b\n")), ElementsAre("a=b"));
}

TEST(GoCsv, RefusesQuotesElsewhere) {
  EXPECT_EQ(why(parse_go_csv("\"a")),
            "parse error on line 1, column 3: extraneous or missing \" in quoted-field");
  EXPECT_EQ(why(parse_go_csv("\"a\"b")),
            "parse error on line 1, column 3: extraneous or missing \" in quoted-field");
  EXPECT_EQ(why(parse_go_csv("x,a\"b")),
            "parse error on line 1, column 4: bare \" in non-quoted-field");
}

TEST(GoQuote, EscapesWhatCannotBePrinted) {
  EXPECT_EQ(go_quoted("a b"), "\"a b\"");
  EXPECT_EQ(go_quoted("a\"\\\n\xff\u00e9"), "\"a\\\"\\\\\\n\\xff\u00e9\"");
}

}  // namespace
}  // namespace restree
