#include "repo/format/node_name.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "repo/text/utf8.h"

namespace restree {
namespace {

// The number that the first `count` characters are in `base`.
std::optional<std::uint32_t> leading_number(std::string_view text, std::size_t count, int base) {
  if (text.size() < count) return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = text.data() + count;
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

// \xHH and \ooo stand for a byte, \uXXXX and \UXXXXXXXX for a rune.
struct NumericEscape {
  std::size_t digits;
  int base;
  bool is_rune;
};

std::optional<NumericEscape> numeric_escape(char letter) {
  switch (letter) {
    case 'x':
      return NumericEscape{2, 16, false};
    case 'u':
      return NumericEscape{4, 16, true};
    case 'U':
      return NumericEscape{8, 16, true};
    default:
      if (letter >= '0' && letter <= '7') return NumericEscape{3, 8, false};
      return std::nullopt;
  }
}

std::optional<char> simple_escape(char letter) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kBytes = "\a\b\f\n\r\t\v\\\"";
  const std::size_t at = kLetters.find(letter);
  if (at == std::string_view::npos) return std::nullopt;
  return kBytes[at];
}

// Resolves the escape that starts `rest` and takes it off; false if it is not one.
bool take_escape(std::string_view& rest, std::string& name) {
  if (rest.size() < 2) return false;
  const char letter = rest[1];
  if (const auto byte = simple_escape(letter)) {
    name += *byte;
    rest.remove_prefix(2);
    return true;
  }
  const auto escape = numeric_escape(letter);
  if (!escape) return false;
  rest.remove_prefix(escape->base == 8 ? 1 : 2);
  const auto value = leading_number(rest, escape->digits, escape->base);
  if (!value) return false;
  rest.remove_prefix(escape->digits);
  if (escape->is_rune) return append_utf8(*value, name);
  if (*value > 0xff) return false;
  name += static_cast<char>(*value);
  return true;
}

}  // namespace

bool append_unquoted_name(std::string_view quoted, std::string& name) {
  for (;;) {
    const std::size_t plain = std::min(quoted.find_first_of("\\\"\n"), quoted.size());
    name += quoted.substr(0, plain);
    quoted.remove_prefix(plain);
    if (quoted.empty()) return true;
    if (quoted.front() != '\\' || !take_escape(quoted, name)) return false;
  }
}

const char* objection_to_name(std::string_view name) {
  if (name.empty()) return "has no name";
  if (name == "." || name == "..") return "is named like a link to itself or its parent";
  if (name.find('/') != std::string_view::npos) return "has a slash in its name";
  if (holds_zero_byte(name)) return "has a zero byte in its name";
  if (name.size() > kLongestNodeName) return "has a name that is too long for any file system";
  return nullptr;
}

}  // namespace restree
