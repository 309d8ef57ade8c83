#include "repo/format/node_name.h"

#include <optional>
#include <string>

#include "tests/support/matchers.h"

namespace restree {
namespace {

std::optional<std::string> unquoted(std::string_view quoted) {
  std::string name;
  if (!append_unquoted_name(quoted, name)) return std::nullopt;
  return name;
}

TEST(NodeName, WithoutEscapesIsItself) {
  EXPECT_EQ(unquoted("plain ' name é😀"), "plain ' name é😀");
  EXPECT_EQ(unquoted(""), "");
}

TEST(NodeName, ResolvesEveryEscapeOfGo) {
  EXPECT_EQ(unquoted(R"(\a\b\f\n\r\t\v\\\")"), "\a\b\f\n\r\t\v\\\"");
  EXPECT_EQ(unquoted(R"(\xff\xFE\x00a)"), std::string("\xff\xfe\0a", 4));
  EXPECT_EQ(unquoted(R"(\101\377\000)"), std::string("A\xff\0", 3));
  EXPECT_EQ(unquoted(R"(\u00a0\u20ac\ufffd)"), "\u00a0€\ufffd");
  EXPECT_EQ(unquoted(R"(\U000f0000\U0010ffffz)"), "\U000f0000\U0010ffffz");
}

TEST(NodeName, RefusesWhatGoRefuses) {
  for (const char* quoted : {R"(\)", R"(\')", R"(\q)", R"(")", "a\nb", R"(\x)", R"(\x1)", R"(\xg0)",
                             R"(\x-1)", R"(\18)", R"(\400)", R"(\08)", R"(\u12)", R"(\ud800)",
                             R"(\udfff)", R"(\U00110000)", R"(\Uffffffff)", R"(\U0000d800)"}) {
    EXPECT_EQ(unquoted(quoted), std::nullopt) << quoted;
  }
}

TEST(NodeName, MustBeOneThatADirectoryCanHold) {
  EXPECT_EQ(objection_to_name("a"), nullptr);
  EXPECT_EQ(objection_to_name("..."), nullptr);
  EXPECT_EQ(objection_to_name("\xff\n"), nullptr);
  for (const std::string_view name :
       {std::string_view(""), std::string_view("."), std::string_view(".."), std::string_view("/"),
        std::string_view("../x"), std::string_view("a\0b", 3)}) {
    EXPECT_NE(objection_to_name(name), nullptr) << name;
  }
  EXPECT_EQ(objection_to_name(std::string(kLongestNodeName, 'x')), nullptr);
  EXPECT_NE(objection_to_name(std::string(kLongestNodeName + 1, 'x')), nullptr);
}

}  // namespace
}  // namespace restree
