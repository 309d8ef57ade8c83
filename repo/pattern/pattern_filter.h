// The patterns that a command line gives in four ways, as one question about a path.
//
//   --exclude P   --iexclude P   --exclude-file F   --iexclude-file F      (or include)
//
// What a file holds follows what the line itself says. The two lists, one of them without regard
// to the case of letters, are independent: what either one matches is matched, and a `!` takes back
// nothing of the other.
//
// Threads: any; immutable.     Errors: from make(): a file's, or kInvalid naming option and
// pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/pattern/path_pattern.h"

namespace restree {

struct PatternOptions {
  std::vector<std::string> patterns = {};
  std::vector<std::string> patterns_ignoring_case = {};
  std::vector<std::string> files = {};
  std::vector<std::string> files_ignoring_case = {};

  bool empty() const {
    return patterns.empty() && patterns_ignoring_case.empty() && files.empty() &&
           files_ignoring_case.empty();
  }
};

class PatternFilter {
 public:
  PatternFilter() = default;
  // `word`: "exclude" or "include", for what is said about a bad pattern.
  static Result<PatternFilter> make(const PatternOptions& options, std::string_view word);

  bool empty() const { return with_case_.empty() && without_case_.empty(); }
  // Paths are absolute and clean.
  bool matches(std::string_view path) const;
  PathPatterns::Verdict match_with_below(std::string_view path) const;

 private:
  PathPatterns with_case_;
  PathPatterns without_case_;
};

}  // namespace restree
