#include "repo/pattern/path_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "repo/base/log.h"
#include "repo/base/path.h"
#include "repo/pattern/glob.h"

namespace restree {
namespace {

constexpr const char* kWhatAPatternNeeds =
    "A [class] must be closed and not empty; a \\ must have a character after it.";

using Part = PathPattern::Part;
using Kind = PathPattern::Part::Kind;
using PathView = std::span<const std::string_view>;
using PartsView = std::span<const Part>;

constexpr std::string_view kRoot = "/";

bool part_matches(const Part& part, std::string_view name) {
  return part.kind == Kind::kText ? part.text == name : glob_matches(part.text, name);
}

bool run_matches(PartsView parts, PathView path) {
  // Backwards, since the last components differ most.
  for (std::size_t i = parts.size(); i-- > 0;) {
    if (!part_matches(parts[i], path[i])) return false;
  }
  return true;
}

std::size_t any_depth_at(PartsView parts) {
  const auto at = std::ranges::find(parts, Kind::kAnyDepth, &Part::kind);
  return static_cast<std::size_t>(at - parts.begin());
}

bool is_rooted(PartsView parts) {
  return parts.front().kind == Kind::kText && parts.front().text == kRoot;
}

// Whether parts that hold a `**` match the path from `start` on. Each `**` stands for no, one, two…
// components. As in restic, every later `**` counts as one component for the largest number that is
// tried, so some paths that should match do not.
//
// `reached` gets all positions in the path that the parts so far can end at: to try the numbers one
// by one would take a time that grows with every `**` by a power.
bool matches_from(PartsView parts, PathView path, std::size_t start, std::vector<bool>& reached) {
  reached.assign(path.size() + 1, false);
  reached[start] = true;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].kind != Kind::kAnyDepth) {
      for (std::size_t at = path.size(); at > start; --at) {
        reached[at] = reached[at - 1] && part_matches(parts[i], path[at - 1]);
      }
      reached[start] = false;
      continue;
    }
    // The first position that would take more components than are tried.
    const std::size_t end = std::min(start + path.size() + i + 2, parts.size() + path.size() + 1);
    const std::size_t beyond = end > parts.size() ? end - parts.size() : 0;
    for (std::size_t at = start; at < path.size(); ++at) {
      if (reached[at] && path[at] != kRoot) reached[at + 1] = true;
    }
    for (std::size_t at = beyond; at <= path.size(); ++at) reached[at] = false;
  }
  return std::ranges::find(reached, true) != reached.end();
}

bool matches_any_depth(PartsView parts, PathView path) {
  std::vector<bool> reached;
  if (is_rooted(parts)) return matches_from(parts, path, 0, reached);
  const std::size_t first = !path.empty() && path.front() == kRoot ? 1 : 0;
  for (std::size_t start = path.size(); start-- > first;) {
    if (matches_from(parts, path, start, reached)) return true;
  }
  return false;
}

bool matches_somewhere(PartsView parts, PathView path) {
  if (any_depth_at(parts) < parts.size()) return matches_any_depth(parts, path);
  if (parts.empty()) return path.empty();
  if (parts.size() > path.size()) return false;
  const bool rooted = is_rooted(parts);
  if (rooted) return run_matches(parts, path.first(parts.size()));
  const std::size_t first = path.front() == kRoot ? 1 : 0;
  for (std::size_t at = path.size() - parts.size() + 1; at-- > first;) {
    if (run_matches(parts, path.subspan(at, parts.size()))) return true;
  }
  return false;
}

Part part_of(std::string_view text) {
  if (text == "**" || text.empty())
    return  // the pattern "/" matches everything below the root
        {Kind::kAnyDepth, ""};
  const bool is_text = text.find_first_of("\\[]*?") == std::string_view::npos;
  return {is_text ? Kind::kText : Kind::kGlob, std::string(text)};
}

}  // namespace

std::vector<std::string_view> path_parts(std::string_view path) {
  std::vector<std::string_view> parts;
  parts.reserve(16);
  if (path.starts_with('/')) {
    parts.push_back(kRoot);
    path.remove_prefix(1);
  }
  for (;;) {
    const std::size_t slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

Result<PathPattern> PathPattern::parse(std::string_view text) {
  PathPattern pattern;
  pattern.is_negated_ = text.starts_with('!');
  const std::string cleaned = clean_path(text.substr(pattern.is_negated_ ? 1 : 0));
  for (const std::string_view part : path_parts(cleaned)) {
    if (!is_glob(part)) {
      return Error(ErrorKind::kInvalid, fmt::format("invalid pattern {}", log::quoted(text)))
          .hinting(kWhatAPatternNeeds);
    }
    pattern.parts_.push_back(part_of(part));
  }
  return pattern;
}

bool PathPattern::matches(PathView path) const { return matches_somewhere(parts_, path); }

bool PathPattern::may_match_below(PathView path) const {
  if (!is_rooted(parts_)) return true;
  const std::size_t any_depth = any_depth_at(parts_);
  if (any_depth < parts_.size()) path = path.first(std::min(path.size(), any_depth));
  return matches_somewhere(PartsView(parts_).first(std::min(path.size(), parts_.size())), path);
}

Result<PathPatterns> PathPatterns::parse(const std::vector<std::string>& lines,
                                         LetterCase letter_case) {
  PathPatterns list;
  list.letter_case_ = letter_case;
  std::string invalid;
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    Result<PathPattern> pattern =
        PathPattern::parse(letter_case == LetterCase::kIgnored ? to_lower(line) : line);
    if (!pattern) {
      invalid += (invalid.empty() ? "" : ", ") + log::quoted(line);
      continue;
    }
    list.has_negated_ = list.has_negated_ || pattern->is_negated();
    list.patterns_.push_back(std::move(*pattern));
  }
  if (invalid.empty()) return list;
  return Error(ErrorKind::kInvalid, "invalid pattern(s) provided: " + invalid)
      .hinting(kWhatAPatternNeeds);
}

template <class Use>
bool PathPatterns::any(std::string_view path, Use&& use) const {
  if (path.empty() || patterns_.empty()) return false;
  const std::string lower = letter_case_ == LetterCase::kIgnored ? to_lower(path) : std::string();
  const auto parts = path_parts(lower.empty() ? path : lower);
  return std::ranges::any_of(
      patterns_, [&](const PathPattern& pattern) { return use(pattern, PathView(parts)); });
}

bool PathPatterns::match(std::string_view path) const {
  bool matched = false;
  any(path, [&](const PathPattern& pattern, PathView parts) {
    // Without negated patterns the first match decides. Otherwise a pattern needs to be tried only
    // if a match would change the result so far.
    if (matched == pattern.is_negated() && pattern.matches(parts)) matched = !matched;
    return matched && !has_negated_;
  });
  return matched;
}

PathPatterns::Verdict PathPatterns::match_with_below(std::string_view path) const {
  Verdict verdict;
  any(path, [&](const PathPattern& pattern, PathView parts) {
    const bool matches = pattern.matches(parts);
    if (pattern.is_negated()) {
      verdict.matched = verdict.matched && !matches;
      verdict.below_may_match = verdict.below_may_match && !matches;
    } else {
      verdict.matched = verdict.matched || matches;
      verdict.below_may_match = verdict.below_may_match || pattern.may_match_below(parts);
    }
    return verdict.matched && verdict.below_may_match && !has_negated_;
  });
  return verdict;
}

bool PathPatterns::any_matches(std::string_view path) const {
  return any(path,
             [](const PathPattern& pattern, PathView parts) { return pattern.matches(parts); });
}

bool PathPatterns::any_may_match_below(std::string_view path) const {
  return any(path, [](const PathPattern& pattern, PathView parts) {
    return pattern.may_match_below(parts);
  });
}

}  // namespace restree
