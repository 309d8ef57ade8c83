#include "repo/text/json_writer.h"

#include <gtest/gtest.h>

namespace restree {
namespace {

std::string json_of(double value) { return JsonWriter().real(value).json(); }

// What Go 1.22 prints for the same numbers.
TEST(JsonWriter, WritesRealNumbersAsGoDoes) {
  EXPECT_EQ(json_of(0), "0");
  EXPECT_EQ(json_of(1), "1");
  EXPECT_EQ(json_of(0.156593683), "0.156593683");
  EXPECT_EQ(json_of(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(json_of(1e-6), "0.000001");
  EXPECT_EQ(json_of(2.5e-7), "2.5e-7");
  EXPECT_EQ(json_of(1e-10), "1e-10");
  EXPECT_EQ(json_of(1e20), "100000000000000000000");
  EXPECT_EQ(json_of(1e21), "1e+21");
  EXPECT_EQ(json_of(-2.5), "-2.5");
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object().key("a").begin_array().number(1).null().begin_array().end_array().end_array();
  json.key("b").boolean(true).key("c").raw(R"({"d": 1})").key("e").null().end_object();
  EXPECT_EQ(json.json(), R"({"a":[1,null,[]],"b":true,"c":{"d": 1},"e":null})");
}

}  // namespace
}  // namespace restree
