// For many patterns, restic and restree leave out the same files of a backup and restore the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "repo/pattern/pattern_filter.h"
#include "tests/support/files.h"
#include "tests/support/restic.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

using Patterns = std::vector<std::string>;
using Paths = std::set<std::string>;

// `T` in a pattern stands for the folder that is backed up.
const std::vector<Patterns>& lists() {
  static const std::vector<Patterns> all = {
      {"*.o"},         {"*/f*"},         {"/foo"},        {"T/foo"},       {"T/foo/*"},
      {"foo/bar"},     {"foo/**"},       {"T/**/deep"},   {"**/deep/x.o"}, {"T/**/foo/**/x.o"},
      {"T/*/bar/"},    {"ba[r-z]"},      {"[^a-f]*"},     {"x.?"},         {"\\*star"},
      {"T/*", "!*.o"}, {"*.o", "!x.o"},  {"!x.o", "*.o"}, {"foo", "!foo"}, {"T/foo/bar", "!x.o"},
      {".*"},          {"T/./foo//bar"}, {"Foo"},         {"**/bar/**"},   {"**"},
      {"k\u00e4se?"},
  };
  return all;
}

class PatternsBesideRestic : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = new TempDir();
    for (const char* name :
         {"x.o", "y.c", "foo/x.o", "foo/bar/x.o", "foo/bar/deep/x.o", "foo/bar/deep/f1", "baz/x.o",
          "baz/bar/foo/q/x.o", "Foo/y.c", ".hid/x.o", "*star", "käse1/x.o", "käsebrot/y"}) {
      const fs::path path = root() / name;
      fs::create_directories(path.parent_path());
      write_file(path, name);
    }
    restic_ = new Restic(dir_->path() / "home");
    restic_->init();
  }
  static void TearDownTestSuite() {
    delete restic_;
    delete dir_;
  }

  static fs::path root() { return dir_->path() / "t"; }

  static Patterns rooted(Patterns patterns) {
    for (std::string& pattern : patterns) {
      if (pattern.starts_with("T/")) pattern = root().string() + pattern.substr(1);
    }
    return patterns;
  }
  static std::vector<std::string> options(const char* option, const Patterns& patterns) {
    std::vector<std::string> words;
    for (const std::string& pattern : patterns) words.insert(words.end(), {option, pattern});
    return words;
  }
  static Paths below(const fs::path& folder) {
    Paths paths;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      paths.insert(fs::relative(entry.path(), folder).string());
    }
    return paths;
  }

  // Our own walk: an excluded folder is not entered.
  static void keep(const PatternFilter& filter, const fs::path& folder, Paths& kept) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (filter.matches(entry.path().string())) continue;
      kept.insert(fs::relative(entry.path(), root()).string());
      if (entry.is_directory()) keep(filter, entry.path(), kept);
    }
  }
  // Files that an include selects, in folders that may hold some.
  static void include(const PatternFilter& filter, const fs::path& folder, Paths& selected) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const auto verdict = filter.match_with_below(entry.path().string());
      if (!entry.is_directory() && verdict.matched) {
        selected.insert(fs::relative(entry.path(), root()).string());
      }
      if (entry.is_directory() && verdict.below_may_match) include(filter, entry.path(), selected);
    }
  }

  static Paths listed(const std::string& snapshot) {
    Paths paths;
    std::string out = restic_->run_ok({"ls", snapshot});
    const std::string prefix = root().string() + "/";
    for (std::size_t at = out.find(prefix); at != std::string::npos; at = out.find(prefix, at)) {
      const std::size_t end = out.find('\n', at);
      paths.insert(out.substr(at + prefix.size(), end - at - prefix.size()));
      at = end;
    }
    return paths;
  }

  static TempDir* dir_;
  static Restic* restic_;
};
TempDir* PatternsBesideRestic::dir_ = nullptr;
Restic* PatternsBesideRestic::restic_ = nullptr;

PatternFilter filter_of(const PatternOptions& options) {
  auto filter = PatternFilter::make(options, "exclude");
  if (!filter) throw std::runtime_error(filter.error().message());
  return *filter;
}

TEST_F(PatternsBesideRestic, ExcludeTheSame) {
  for (const Patterns& list : lists()) {
    const Patterns patterns = rooted(list);
    std::vector<std::string> words = options("--exclude", patterns);
    words.push_back(root().string());
    Paths kept;
    keep(filter_of({.patterns = patterns}), root(), kept);
    EXPECT_EQ(listed(restic_->backup(words)), kept) << ::testing::PrintToString(list);
  }
}

TEST_F(PatternsBesideRestic, ExcludeTheSameWhateverTheCase) {
  for (const Patterns& list : {Patterns{"FOO"}, Patterns{"K\u00c4SE*"}, Patterns{"T/*", "!X.O"}}) {
    const Patterns patterns = rooted(list);
    std::vector<std::string> words = options("--iexclude", patterns);
    words.push_back(root().string());
    Paths kept;
    keep(filter_of({.patterns_ignoring_case = patterns}), root(), kept);
    EXPECT_EQ(listed(restic_->backup(words)), kept) << ::testing::PrintToString(list);
  }
}

TEST_F(PatternsBesideRestic, IncludeTheSame) {
  const std::string snapshot = restic_->backup({root().string()});
  int number = 0;
  for (const Patterns& list : {Patterns{"*.o"}, Patterns{"T/foo/bar"}, Patterns{"T/**/deep"},
                               Patterns{"foo", "!x.o"}, Patterns{"T/*/x.o"}}) {
    const Patterns patterns = rooted(list);
    const fs::path into = dir_->path() / ("restored" + std::to_string(number++));
    std::vector<std::string> words = options("--include", patterns);
    words.insert(words.begin(), {"restore", snapshot, "--target", into.string()});
    restic_->run_ok(words);
    Paths restored;
    const fs::path folder = into / root().relative_path();
    for (const std::string& path : fs::exists(folder) ? below(folder) : Paths()) {
      if (!fs::is_directory(folder / path)) restored.insert(path);
    }
    Paths selected;
    include(filter_of({.patterns = patterns}), root(), selected);
    EXPECT_EQ(restored, selected) << ::testing::PrintToString(list);
  }
}

}  // namespace
}  // namespace restree::testing
