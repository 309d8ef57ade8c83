#include "repo/pattern/path_pattern.h"

#include <string>
#include <vector>

#include "repo/pattern/pattern_filter.h"
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
  const auto patterns = value_of(PathPatterns::parse({"FOO/Bär"}, LetterCase::kIgnored));
  EXPECT_TRUE(patterns.match("/x/foo/BÄR"));
  EXPECT_FALSE(list({"FOO"}).match("/foo"));
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
