#include "repo/pattern/glob.h"

#include <gtest/gtest.h>

#include "tests/support/emulator.h"

namespace restree {
namespace {

struct Row {
  std::string_view pattern;
  std::string_view name;
  bool matches;
};

// The rows without a slash of Go's own test of filepath.Match, and bytes that are not UTF-8.
constexpr Row kRows[] = {
    {"abc", "abc", true},
    {"*", "abc", true},
    {"*c", "abc", true},
    {"a*", "a", true},
    {"a*", "abc", true},
    {"a*b*c*d*e*", "axbxcxdxe", true},
    {"a*b*c*d*e*", "axbxcxdxexxx", true},
    {"a*b?c*x", "abxbbxdbxebxczzx", true},
    {"a*b?c*x", "abxbbxdbxebxczzy", false},
    {"ab[c]", "abc", true},
    {"ab[b-d]", "abc", true},
    {"ab[e-g]", "abc", false},
    {"ab[^c]", "abc", false},
    {"ab[^b-d]", "abc", false},
    {"ab[^e-g]", "abc", true},
    {"a\\*b", "a*b", true},
    {"a\\*b", "ab", false},
    {"a?b", "a☺b", true},
    {"a[^a]b", "a☺b", true},
    {"a???b", "a☺b", false},
    {"a[^a][^a][^a]b", "a☺b", false},
    {"[a-ζ]*", "α", true},
    {"*[a-ζ]", "A", false},
    {"[\\]a]", "]", true},
    {"[\\-]", "-", true},
    {"[x\\-]", "x", true},
    {"[x\\-]", "-", true},
    {"[x\\-]", "z", false},
    {"[\\-x]", "a", false},
    {"*x", "xxx", true},
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"?", "", false},
    {"a?", "a\xff", true},
    {"*\xff", "a\xff", true},
    {".*", ".hidden", true},
    {"*", ".hidden", true},
    {"*", "/", false},
    {"?", "/", false},
};

TEST(Glob, MatchesAsGoDoes) {
  for (const Row& row : kRows) {
    EXPECT_TRUE(is_glob(row.pattern)) << row.pattern;
    EXPECT_EQ(glob_matches(row.pattern, row.name), row.matches) << row.pattern << " " << row.name;
  }
}

TEST(Glob, RefusesTheSamePatternsAsGo) {
  for (const char* pattern : {"[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[",
                              "\\", "a*[", "[a-b-d]", "[\\", "[\xff]", "x*y\\"}) {
    EXPECT_FALSE(is_glob(pattern)) << pattern;
  }
}

TEST(Glob, LowersEveryLetter) {
  EXPECT_EQ(to_lower("ABC.Z09_"), "abc.z09_");
  SKIP_UNDER_QEMU_WITHOUT_LOCALE();
  EXPECT_EQ(to_lower("ÄΩЖ"), "äωж");
  EXPECT_EQ(to_lower("A\xff"), "a\ufffd");
}

}  // namespace
}  // namespace restree
