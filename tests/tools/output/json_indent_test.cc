#include "tools/output/json_indent.h"

#include <gmock/gmock.h>

namespace restree {
namespace {

TEST(IndentJson, IndentsAsGoDoes) {
  EXPECT_EQ(indent_json(R"({"a":1,"b":["x","y"],"c":{},"d":[],"e":{"f":null}})"),
            "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    \"y\"\n  ],\n  \"c\": {},\n  \"d\": [],\n"
            "  \"e\": {\n    \"f\": null\n  }\n}");
}

TEST(IndentJson, LeavesStringsUnchanged) {
  EXPECT_EQ(indent_json(R"(["a,b:{\"}]\\"])"), "[\n  \"a,b:{\\\"}]\\\\\"\n]");
}

}  // namespace
}  // namespace restree
