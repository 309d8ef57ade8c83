#include "program/named_option.h"

#include <cctype>
#include <charconv>

#include "repo/base/restic_words.h"

namespace restree {

Error bad_variable(std::string_view name, const std::string& value, const std::string& why) {
  return {ErrorKind::kInvalid, fmt::format(restic_words::kBadVariable.text, name, value, why)};
}

Error bad_value(std::string_view name, const std::string& value, std::string_view wanted) {
  return {ErrorKind::kInvalid, fmt::format("option {}={}: {}", name, value, wanted)};
}

Result<std::uint64_t> parse_number(std::string_view name, const std::string& value, int base) {
  std::uint64_t number = 0;
  const auto [end, failure] =
      std::from_chars(value.data(), value.data() + value.size(), number, base);
  if (failure != std::errc() || end != value.data() + value.size()) {
    return bad_value(name, value, base == 8 ? "not an octal number" : "not a number");
  }
  return number;
}

Result<std::uint64_t> parse_size(std::string_view name, const std::string& value) {
  std::string digits = value;
  unsigned shift = 0;
  if (!digits.empty()) {
    constexpr std::string_view kUnits = "KMGT";
    const char last = static_cast<char>(std::toupper(static_cast<unsigned char>(digits.back())));
    if (const std::size_t unit = kUnits.find(last); unit != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(unit) + 1);
      digits.pop_back();
    }
  }
  ASSIGN_OR_RETURN(const std::uint64_t count, parse_number(name, digits));
  if (count > (std::uint64_t{1} << 50) >> shift) return bad_value(name, value, "too large");
  return count << shift;
}

}  // namespace restree
