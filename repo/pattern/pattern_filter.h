// Combines the patterns that a command line gives in four ways, and matches paths against all of
// them.
//
//   --exclude P   --iexclude P   --exclude-file F   --iexclude-file F      (or include)
//
// Patterns from files follow those from the command line. There are two lists, with and without
// regard to the case of letters. They are independent: a path matches if either list matches, and a
// `!` takes back no match of the other list.
//
// Threads: any; immutable.
// Errors:  from make(): those of reading a file; kInvalid, naming the option or the file, and all
//          patterns of it that are not patterns.
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
  // `word`: "exclude" or "include", for error messages.
  static Result<PatternFilter> make(const PatternOptions& options, std::string_view word);

  bool empty() const { return with_case_.empty() && without_case_.empty(); }
  // Whether any pattern was given: also an empty one, which matches nothing. A file without
  // patterns gives none.
  bool is_given() const { return is_given_; }
  // Paths are absolute and clean.
  bool matches(std::string_view path) const;
  PathPatterns::Verdict match_with_below(std::string_view path) const;

 private:
  PathPatterns with_case_;
  PathPatterns without_case_;
  bool is_given_ = false;
};

}  // namespace restree
