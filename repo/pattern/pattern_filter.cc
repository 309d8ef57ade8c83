#include "repo/pattern/pattern_filter.h"

#include <fmt/format.h>

#include "repo/pattern/pattern_file.h"

namespace restree {
namespace {

// Names the option that the patterns come from, if one of them is invalid.
Status check(const std::vector<std::string>& patterns, const std::string& option) {
  auto parsed = PathPatterns::parse(patterns);
  if (!parsed) return std::move(parsed).error().with(option);
  return {};
}

// All patterns, those of the files last.
Result<std::vector<std::string>> patterns_from(std::vector<std::string> patterns,
                                               const std::vector<std::string>& files,
                                               const std::string& option) {
  RETURN_IF_ERROR(check(patterns, "--" + option));
  for (const std::string& file : files) {
    const std::string file_option = fmt::format("--{}-file", option);
    auto from_file = read_pattern_file(file);
    if (!from_file) return std::move(from_file).error().with(file_option);
    RETURN_IF_ERROR(check(*from_file, fmt::format("{} {}", file_option, file)));
    patterns.insert(patterns.end(), from_file->begin(), from_file->end());
  }
  return patterns;
}

}  // namespace

Result<PatternFilter> PatternFilter::make(const PatternOptions& options, std::string_view word) {
  const std::string option(word);
  PatternFilter filter;
  ASSIGN_OR_RETURN(const auto with_case, patterns_from(options.patterns, options.files, option));
  ASSIGN_OR_RETURN(
      const auto without_case,
      patterns_from(options.patterns_ignoring_case, options.files_ignoring_case, "i" + option));
  ASSIGN_OR_RETURN(filter.with_case_, PathPatterns::parse(with_case));
  ASSIGN_OR_RETURN(filter.without_case_, PathPatterns::parse(without_case, LetterCase::kIgnored));
  filter.is_given_ = !with_case.empty() || !without_case.empty();
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
