#include "repo/pattern/pattern_file.h"

#include <algorithm>
#include <cstddef>

#include "repo/pattern/text_file.h"

namespace restree {
namespace {

struct VariableName {
  std::string_view name;
  std::size_t length = 0;  // with its braces
};

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// The shell's special parameters, which have one character.
bool is_special(char c) {
  return std::string_view("*#$@!?-0123456789").find(c) != std::string_view::npos;
}

// The variable name after a dollar sign. Malformed braces give an empty name with a length, so that
// they are removed from the text.
VariableName variable_name(std::string_view text) {
  if (text.front() == '{') {
    if (text.size() > 2 && is_special(text[1]) && text[2] == '}') return {text.substr(1, 1), 3};
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return {{}, 1};
    return {text.substr(1, end - 1), end + 1};
  }
  if (is_special(text.front())) return {text.substr(0, 1), 1};
  const auto end = std::ranges::find_if_not(text, is_name_character);
  const auto length = static_cast<std::size_t>(end - text.begin());
  return {text.substr(0, length), length};
}

}  // namespace

std::string expand_variables(std::string_view text, const Environment& environment) {
  std::string expanded;
  for (;;) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    expanded += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.size() < 2) break;
    text.remove_prefix(1);
    const auto [name, length] = variable_name(text);
    if (name == "$" || length == 0) {
      expanded += '$';
    } else if (!name.empty() && name.find('\0') == std::string_view::npos) {
      // No variable has a zero byte in its name, and getenv would look for what stands before it.
      expanded += environment(std::string(name));
    }
    text.remove_prefix(length);
  }
  return expanded += text;
}

std::vector<std::string> patterns_of(const std::vector<std::string>& lines,
                                     const Environment& environment) {
  std::vector<std::string> patterns;
  for (const std::string& line : lines) {
    const std::string_view pattern = trimmed(line);
    if (pattern.empty() || pattern.front() == '#') continue;
    patterns.push_back(expand_variables(pattern, environment));
  }
  return patterns;
}

Result<std::vector<std::string>> read_pattern_file(const std::string& path,
                                                   const Environment& environment) {
  ASSIGN_OR_RETURN(const std::vector<std::string> lines, read_text_lines(path));
  return patterns_of(lines, environment);
}

}  // namespace restree
