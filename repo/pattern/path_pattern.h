// restic's path patterns, as --exclude, --include and find take them.
//
// A pattern is matched component by component (glob.h); `**` stands for any number of components. A
// pattern that begins with a slash must match from the root, any other one at any depth. Everything
// below a match matches too: `*/f*` matches /usr/foo/x. `!pattern` takes back matches of the
// patterns before it. The case of letters matters, unless the whole list ignores it.
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

// Splits a path at its slashes, once for many patterns. If the path begins with a slash, "/" is the
// first part. The parts are views into the path.
std::vector<std::string_view> path_parts(std::string_view path);

class PathPattern {
 public:
  static Result<PathPattern> parse(std::string_view text);

  bool is_negated() const { return is_negated_; }
  // Both ignore the `!` of a negated pattern.
  bool matches(std::span<const std::string_view> path) const;
  // Whether something below the folder `path` may match.
  bool may_match_below(std::span<const std::string_view> path) const;

  // A component of the pattern: text, a glob, or `**`.
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
  // Applies the whole list in order. Never true for the empty path.
  bool match(std::string_view path) const;

  struct Verdict {
    bool matched = false;
    bool below_may_match = false;
  };
  Verdict match_with_below(std::string_view path) const;

  // For commands without negation: whether any pattern matches, with or without `!`.
  bool any_matches(std::string_view path) const;
  bool any_may_match_below(std::string_view path) const;

 private:
  // Calls `use` with each pattern and the path's parts until it returns true; returns whether it
  // did.
  template <class Use>
  bool any(std::string_view path, Use&& use) const;

  std::vector<PathPattern> patterns_;
  LetterCase letter_case_ = LetterCase::kMatters;
  bool has_negated_ = false;
};

}  // namespace restree
