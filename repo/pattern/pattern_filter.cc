#include "repo/pattern/pattern_filter.h"

#include <fmt/format.h>

#include "repo/pattern/pattern_file.h"

namespace restree {
namespace {

Result<PathPatterns> patterns_from(std::vector<std::string> patterns,
                                   const std::vector<std::string>& files, LetterCase letter_case,
                                   const std::string& option) {
  for (const std::string& file : files) {
    auto from_file = read_pattern_file(file);
    if (!from_file) return std::move(from_file).error().with(fmt::format("--{}-file", option));
    patterns.insert(patterns.end(), from_file->begin(), from_file->end());
  }
  auto parsed = PathPatterns::parse(patterns, letter_case);
  if (!parsed) return std::move(parsed).error().with("--" + option);
  return parsed;
}

}  // namespace

Result<PatternFilter> PatternFilter::make(const PatternOptions& options, std::string_view word) {
  const std::string option(word);
  PatternFilter filter;
  ASSIGN_OR_RETURN(filter.with_case_,
                   patterns_from(options.patterns, options.files, LetterCase::kMatters, option));
  ASSIGN_OR_RETURN(filter.without_case_,
                   patterns_from(options.patterns_ignoring_case, options.files_ignoring_case,
                                 LetterCase::kIgnored, "i" + option));
  return filter;
}

bool PatternFilter::matches(std::string_view path) const {
  return without_case_.match(path) || with_case_.match(path);
}

PathPatterns::Verdict PatternFilter::match_with_below(std::string_view path) const {
  const auto first = without_case_.match_with_below(path);
  const auto second = with_case_.match_with_below(path);
  return {first.matched || second.matched, first.below_may_match || second.below_may_match};
}

}  // namespace restree
