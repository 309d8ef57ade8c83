// restic's path patterns, as --exclude, --include and find take them.
//
// A pattern is matched component by component (glob.h), `**` for any number of them. One that
// begins with a slash must match from the root, any other one somewhere; either way whatever lies
// below a match matches too, and `*/f*` matches /usr/foo/x. `!pattern` takes back what patterns
// before it have matched. Letters count, unless the whole list ignores their case.
//
// Threads: any; immutable once parsed.     Errors: kInvalid, naming the pattern, from parse().
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

enum class LetterCase { kMatters, kIgnored };

// A path split at its slashes, for many patterns to look at; "/" is the first part of one that
// begins with it. Views into the path.
std::vector<std::string_view> path_parts(std::string_view path);

class PathPattern {
 public:
  static Result<PathPattern> parse(std::string_view text);

  bool is_negated() const { return is_negated_; }
  // Both say of the pattern without its `!`.
  bool matches(std::span<const std::string_view> path) const;
  // Whether something below the folder `path` may match.
  bool may_match_below(std::span<const std::string_view> path) const;

  // A component: text, a glob, or `**`.
  struct Part {
    enum class Kind { kText, kGlob, kAnyDepth } kind = Kind::kText;
    std::string text;
  };

 private:
  std::vector<Part> parts_;
  bool is_negated_ = false;
};

class PathPatterns {
 public:
  // Empty lines are left out.
  static Result<PathPatterns> parse(const std::vector<std::string>& lines,
                                    LetterCase letter_case = LetterCase::kMatters);

  bool empty() const { return patterns_.empty(); }
  // Whether the path is on the list, all of it, in order. Never for the empty path.
  bool match(std::string_view path) const;

  struct Verdict {
    bool matched = false;
    bool below_may_match = false;
  };
  Verdict match_with_below(std::string_view path) const;

  // For commands that know no negation: whether any pattern matches, `!` or not.
  bool any_matches(std::string_view path) const;
  bool any_may_match_below(std::string_view path) const;

 private:
  // Until `use` says true of a pattern and the path's parts; whether it did.
  template <class Use>
  bool any(std::string_view path, Use&& use) const;

  std::vector<PathPattern> patterns_;
  LetterCase letter_case_ = LetterCase::kMatters;
  bool has_negated_ = false;
};

}  // namespace restree
