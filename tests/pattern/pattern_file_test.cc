#include "repo/pattern/pattern_file.h"

#include <string>
#include <vector>

#include "repo/pattern/text_file.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;

std::string environment(const std::string& name) {
  if (name == "HOME") return "/root";
  if (name == "a1_") return "A";
  if (name == "1") return "one";
  return "";
}
std::string expanded(std::string_view text) { return expand_variables(text, environment); }

TEST(TextLines, EndInLineFeedsWithOrWithoutAReturn) {
  EXPECT_THAT(text_lines("a\r\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(text_lines("a\n"), ElementsAre("a"));
  EXPECT_TRUE(text_lines("").empty());
}

TEST(TextLines, LoseTheByteOrderMark) {
  EXPECT_THAT(text_lines("\xef\xbb\xbfx"), ElementsAre("x"));
  EXPECT_THAT(text_lines(std::string("\xff\xfe"
                                     "a\0\n\0\xe4\0",
                                     8)),
              ElementsAre("a", "ä"));
  EXPECT_THAT(text_lines(std::string("\xfe\xff\xd8\x3d\xde\x00\0x\xd8\x3d", 10)),
              ElementsAre("😀x\ufffd"));
}

TEST(Trimmed, LosesTheWhiteSpaceOfUnicode) {
  EXPECT_EQ(trimmed(" \t\u00a0a b\u3000\r\n"), "a b");
  EXPECT_EQ(trimmed("\u2003"), "");
  EXPECT_EQ(trimmed("\xa0x\x85"), "\xa0x\x85") << "bytes that are not UTF-8 stay";
}

TEST(PatternFile, LeavesOutCommentsAndEmptyLines) {
  EXPECT_THAT(patterns_of({"# no", "", "  ", "  # no", " *.o ", "!x"}, environment),
              ElementsAre("*.o", "!x"));
}

TEST(PatternFile, ExpandsVariablesAsGoDoes) {
  EXPECT_EQ(expanded("$HOME/x"), "/root/x");
  EXPECT_EQ(expanded("${HOME}x$a1_/"), "/rootxA/");
  EXPECT_EQ(expanded("$nothing/x"), "/x");
  EXPECT_EQ(expanded("a$$b"), "a$b");
  EXPECT_EQ(expanded("$1x"), "onex");
  EXPECT_EQ(expanded("100$"), "100$");
  EXPECT_EQ(expanded("$ $/"), "$ $/");
  EXPECT_EQ(expanded("a${}b"), "ab");
  EXPECT_EQ(expanded("a${b"), "ab");
  EXPECT_EQ(expand_variables(std::string_view("a${HOME\0x}b", 11), environment_variable), "ab");
  EXPECT_EQ(expanded("${$}"), "$");
}

TEST(PatternFile, OnesThatAreVariablesOfNothingAreEmptyPatterns) {
  EXPECT_THAT(patterns_of({"$nothing"}, environment), ElementsAre(""));
}

}  // namespace
}  // namespace restree
