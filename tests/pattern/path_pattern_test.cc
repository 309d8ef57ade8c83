#include "repo/pattern/path_pattern.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "repo/pattern/pattern_filter.h"
#include "tests/support/emulator.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::value_of;

PathPatterns list(const std::vector<std::string>& lines) {
  return value_of(PathPatterns::parse(lines));
}
bool matches(const std::string& pattern, std::string_view path) {
  return list({pattern}).match(path);
}
bool may_match_below(const std::string& pattern, std::string_view path) {
  return list({pattern}).match_with_below(path).below_may_match;
}

TEST(PathPattern, WithoutASlashInFrontMatchesAnywhere) {
  EXPECT_TRUE(matches("foo", "/a/foo/b"));
  EXPECT_TRUE(matches("foo/b", "/a/foo/b"));
  EXPECT_TRUE(matches("*/f*", "/usr/foo/x"));
  EXPECT_TRUE(matches("*.go", "/x.go/below"));
  EXPECT_FALSE(matches("foo", "/a/foobar"));
  EXPECT_FALSE(matches("a/b", "/a/x/b"));
}

TEST(PathPattern, WithASlashInFrontMatchesFromTheRoot) {
  EXPECT_TRUE(matches("/usr", "/usr"));
  EXPECT_TRUE(matches("/usr", "/usr/share/doc"));
  EXPECT_TRUE(matches("/*/share", "/usr/share/doc"));
  EXPECT_FALSE(matches("/usr", "/a/usr"));
  EXPECT_FALSE(matches("/usr/share", "/usr"));
  EXPECT_TRUE(matches("/", "/any/thing"));
}

TEST(PathPattern, IsCleanedFirst) {
  EXPECT_TRUE(matches("foo/", "/foo"));
  EXPECT_TRUE(matches("/usr//./x/../share/", "/usr/share"));
}

TEST(PathPattern, DoubleStarIsAnyNumberOfFolders) {
  EXPECT_TRUE(matches("/a/**/z", "/a/z"));
  EXPECT_TRUE(matches("/a/**/z", "/a/b/c/z"));
  EXPECT_TRUE(matches("/a/**", "/a"));
  EXPECT_TRUE(matches("**/z", "/a/b/z"));
  EXPECT_TRUE(matches("a/**/b/**/c", "/a/b/c"));
  EXPECT_FALSE(matches("/a/**/z", "/b/z"));
  EXPECT_TRUE(matches("**", "/a"));
  EXPECT_FALSE(matches("/**/a/**/b", "/p/q/a/b")) << "restic counts the second one as a folder";
}

TEST(PathPattern, ManyDoubleStarsTakeNoTimeToSpeakOf) {
  std::string pattern;
  std::string path;
  for (int i = 0; i < 30; ++i) pattern += "/**/a*";
  for (int i = 0; i < 200; ++i) path += "/ab";
  EXPECT_TRUE(matches(pattern, path));
  EXPECT_FALSE(matches(pattern + "/z", path));
  EXPECT_FALSE(matches("x" + pattern + "/z", path));
}

// restic's rule as it has it: the first `**` is replaced by no, one, two… `*`, and each is tried.
bool matches_by_trying(const std::vector<std::string_view>& pattern,
                       const std::vector<std::string_view>& path) {
  const auto any_depth = std::ranges::find(pattern, "**");
  if (any_depth == pattern.end()) {
    if (pattern.empty() || pattern.size() > path.size()) return false;
    const std::size_t last = pattern.front() == "/" ? 0 : path.size() - pattern.size();
    for (std::size_t at = pattern.front() == "/" ? 0 : 1; at <= last; ++at) {
      const auto is_same = [](std::string_view part, std::string_view name) {
        return part == name || (part == "*" && name != "/");
      };
      if (std::equal(pattern.begin(), pattern.end(), path.begin() + std::ptrdiff_t(at), is_same)) {
        return true;
      }
    }
    return false;
  }
  for (std::size_t stars = 0; stars + pattern.size() <= path.size() + 1; ++stars) {
    std::vector<std::string_view> tried(pattern.begin(), any_depth);
    tried.insert(tried.end(), stars, "*");
    tried.insert(tried.end(), any_depth + 1, pattern.end());
    if (matches_by_trying(tried, path)) return true;
  }
  return false;
}

TEST(PathPattern, DoubleStarsMatchWhatResticsRuleMatches) {
  std::mt19937 random(7);
  const auto words = [&](std::size_t most, const std::vector<std::string>& of) {
    std::string text;
    for (std::size_t i = 1 + random() % most; i > 0; --i) text += "/" + of[random() % of.size()];
    return text;
  };
  std::size_t matched = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string pattern = words(6, {"**", "a", "b", "*", "**"});
    if (random() % 2 == 0) pattern.erase(0, 1);
    const std::string path = words(7, {"a", "b", "c"});
    const bool expected = matches_by_trying(path_parts(pattern), path_parts(path));
    ASSERT_EQ(matches(pattern, path), expected) << pattern << " and " << path;
    matched += expected ? 1 : 0;
  }
  EXPECT_GT(matched, 5'000U);
}

TEST(PathPattern, MatchesNoEmptyPath) {
  EXPECT_FALSE(matches("*", ""));
  EXPECT_FALSE(list({}).match("/a"));
}

TEST(PathPattern, KnowsWhetherAPathBelowMayMatch) {
  EXPECT_TRUE(may_match_below("foo", "/a/b"));
  EXPECT_TRUE(may_match_below("/a/b/c", "/a/b"));
  EXPECT_TRUE(may_match_below("/a/b/c", "/a/b/c/d"));
  EXPECT_TRUE(may_match_below("/a/*/c", "/a/x"));
  EXPECT_TRUE(may_match_below("/a/**/z", "/a/b/c"));
  EXPECT_FALSE(may_match_below("/a/b/c", "/a/x"));
  EXPECT_FALSE(may_match_below("/a/**/z", "/b"));
}

TEST(PathPatterns, ABangTakesBackMatches) {
  const PathPatterns patterns = list({"*.o", "!keep.o", "keep.o/gone"});
  EXPECT_TRUE(patterns.match("/a.o"));
  EXPECT_FALSE(patterns.match("/keep.o"));
  EXPECT_TRUE(patterns.match("/keep.o/gone"));
  EXPECT_FALSE(list({"!keep.o", "*.o"}).match("/x"));
  EXPECT_TRUE(list({"!keep.o", "*.o"}).match("/keep.o")) << "the order counts";
}

TEST(PathPatterns, MayIgnoreTheCaseOfLetters) {
  EXPECT_FALSE(list({"FOO"}).match("/foo"));
  SKIP_UNDER_QEMU_WITHOUT_LOCALE();
  const auto patterns = value_of(PathPatterns::parse({"FOO/Bär"}, LetterCase::kIgnored));
  EXPECT_TRUE(patterns.match("/x/foo/BÄR"));
}

TEST(PathPatterns, ForCommandsWithoutNegationABangIsIgnored) {
  EXPECT_TRUE(list({"!foo"}).any_matches("/foo"));
  EXPECT_FALSE(list({"!foo"}).any_matches("/bar"));
  EXPECT_TRUE(list({"/a/b"}).any_may_match_below("/a"));
  EXPECT_FALSE(list({"/a/b"}).any_may_match_below("/c"));
}

TEST(PathPatterns, NameTheMalformedOne) {
  const auto parsed = PathPatterns::parse({"good", "a/[b"});
  ASSERT_THAT(parsed, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(parsed.error().message(), HasSubstr("a/[b"));
}

TEST(PathPatterns, NameEveryMalformedOne) {
  const auto parsed = PathPatterns::parse({"[one", "good", "[TWO"}, LetterCase::kIgnored);
  ASSERT_THAT(parsed, FailsWith(ErrorKind::kInvalid));
  EXPECT_EQ(parsed.error().message(), R"(invalid pattern(s) provided: "[one", "[TWO")");
}

TEST(PatternFilter, ABangTakesBackNothingOfTheOtherList) {
  PatternOptions options;
  options.patterns = {"*.o", "!keep.o"};
  options.patterns_ignoring_case = {"KEEP.*"};
  const PatternFilter filter = value_of(PatternFilter::make(options, "exclude"));
  EXPECT_TRUE(filter.matches("/keep.o"));
  EXPECT_TRUE(filter.matches("/x.o"));
  EXPECT_FALSE(filter.matches("/x.c"));
}

TEST(PatternFilter, NamesTheOptionOfABadPatternOrFile) {
  const auto bad = PatternFilter::make({.patterns_ignoring_case = {"["}}, "include");
  ASSERT_THAT(bad, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(bad.error().message(), HasSubstr("--iinclude"));
  const auto missing = PatternFilter::make({.files = {"/nonexistent/file"}}, "exclude");
  ASSERT_THAT(missing, FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(missing.error().message(), HasSubstr("--exclude-file: open /nonexistent/file"));
}

}  // namespace
}  // namespace restree
