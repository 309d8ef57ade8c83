// Lines of patterns, and behind the first zero byte a path.
#include <string>
#include <string_view>

#include "repo/pattern/glob.h"
#include "repo/pattern/path_pattern.h"
#include "repo/pattern/text_file.h"
#include "tests/fuzz/fuzz_target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = restree::as_text(restree::fuzz_input(data, size));
  const std::size_t end = input.find('\0');
  const std::string_view lines = input.substr(0, end);
  const std::string_view path = end == std::string_view::npos ? "/a/b" : input.substr(end + 1);
  const auto parsed = restree::PathPatterns::parse(restree::text_lines(lines));
  if (restree::is_glob(lines)) (void)restree::glob_matches(lines, path);
  (void)restree::to_lower(path);
  if (!parsed) return 0;
  const auto verdict = parsed->match_with_below(path);
  restree::must(verdict.matched == parsed->match(path));
  (void)parsed->any_may_match_below(path);
  return 0;
}
