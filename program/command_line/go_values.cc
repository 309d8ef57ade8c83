#include "program/command_line/go_values.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "repo/text/go_quote.h"

namespace restree {
namespace {

constexpr std::uint64_t kTopBit = std::uint64_t{1} << 63;

Error refused(std::string_view function, std::string_view text, std::string_view why) {
  return {ErrorKind::kInvalid,
          fmt::format("strconv.{}: parsing {}: {}", function, go_quoted(text), why)};
}
constexpr std::string_view kSyntax = "invalid syntax";
constexpr std::string_view kRange = "value out of range";

char lower(char c) { return static_cast<char>(c | 0x20); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether each underscore stands between two digits, or between the prefix of a base and a digit.
bool underscores_part_digits(std::string_view text) {
  bool is_hex = false;
  bool after_digit = false;
  bool after_underscore = false;
  if (text.size() >= 2 && text[0] == '0' && std::string_view("box").find(lower(text[1])) < 3) {
    is_hex = lower(text[1]) == 'x';
    after_digit = true;
    text.remove_prefix(2);
  }
  for (const char c : text) {
    if (is_digit(c) || (is_hex && lower(c) >= 'a' && lower(c) <= 'f')) {
      after_digit = true;
      after_underscore = false;
    } else if (c == '_') {
      if (!after_digit) return false;
      after_digit = false;
      after_underscore = true;
    } else {
      if (after_underscore) return false;
      after_digit = false;
    }
  }
  return !after_underscore;
}

// The base that a number's prefix names, which is taken off.
unsigned take_base(std::string_view& digits) {
  if (!digits.starts_with('0')) return 10;
  const char mark = digits.size() >= 3 ? lower(digits[1]) : '\0';
  const unsigned base = mark == 'b' ? 2 : mark == 'o' ? 8 : mark == 'x' ? 16 : 0;
  digits.remove_prefix(base == 0 ? 1 : 2);
  return base == 0 ? 8 : base;
}

unsigned value_of_digit(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  const char small = lower(c);
  if (small >= 'a' && small <= 'z') return static_cast<unsigned>(small - 'a') + 10;
  return std::numeric_limits<unsigned>::max();
}

// `unsigned_text` is the part of `text` behind the sign.
Result<std::uint64_t> parse_digits(std::string_view function, std::string_view text,
                                   std::string_view unsigned_text) {
  if (unsigned_text.empty()) return refused(function, text, kSyntax);
  std::string_view digits = unsigned_text;
  const unsigned base = take_base(digits);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t number = 0;
  bool too_large = false;
  for (const char c : digits) {
    if (c == '_') continue;
    const unsigned digit = value_of_digit(c);
    if (digit >= base) return refused(function, text, kSyntax);
    too_large = too_large || number > (kMost - digit) / base;
    if (!too_large) number = number * base + digit;
  }
  if (too_large) return refused(function, text, kRange);
  if (unsigned_text.find('_') != std::string_view::npos &&
      !underscores_part_digits(unsigned_text)) {
    return refused(function, text, kSyntax);
  }
  return number;
}

// Package time has a quote of its own: bytes beyond ASCII become \x escapes.
std::string quoted_by_time(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80 || c < ' ') {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\u00b5s", 1'000},
                                      {"\u03bcs", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

// The digits that `text` begins with, which are taken off; nullopt: more than 2^63.
std::optional<std::uint64_t> take_whole(std::string_view& text) {
  std::uint64_t number = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (number > kTopBit / 10) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (number > kTopBit) return std::nullopt;
    text.remove_prefix(1);
  }
  return number;
}

struct Fraction {
  std::uint64_t digits = 0;
  double scale = 1;
};

// The digits behind a decimal point; those that no number holds are left out.
Fraction take_fraction(std::string_view& text) {
  Fraction fraction;
  bool is_full = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    is_full = is_full || fraction.digits > (kTopBit - 1) / 10;
    if (is_full) continue;
    fraction.digits = fraction.digits * 10 + static_cast<std::uint64_t>(text.front() - '0');
    fraction.scale *= 10;
  }
  return fraction;
}

// One number with its unit, taken off the front of `text`, in nanoseconds. `all` is for messages.
Result<std::uint64_t> take_span(std::string_view& text, std::string_view all) {
  const Error invalid(ErrorKind::kInvalid, "time: invalid duration " + quoted_by_time(all));
  const std::size_t before = text.size();
  const std::optional<std::uint64_t> whole = take_whole(text);
  if (!whole) return invalid;
  bool has_digits = text.size() != before;
  Fraction fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::size_t before_fraction = text.size();
    fraction = take_fraction(text);
    has_digits = has_digits || text.size() != before_fraction;
  }
  if (!has_digits) return invalid;
  const std::string_view name = text.substr(0, text.find_first_of(".0123456789"));
  if (name.empty()) {
    return Error(ErrorKind::kInvalid, "time: missing unit in duration " + quoted_by_time(all));
  }
  text.remove_prefix(name.size());
  const auto* unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == kUnits.end()) {
    return Error(ErrorKind::kInvalid, fmt::format("time: unknown unit {} in duration {}",
                                                  quoted_by_time(name), quoted_by_time(all)));
  }
  if (*whole > kTopBit / unit->nanoseconds) return invalid;
  const double part = static_cast<double>(fraction.digits) *
                      (static_cast<double>(unit->nanoseconds) / fraction.scale);
  const std::uint64_t span = *whole * unit->nanoseconds + static_cast<std::uint64_t>(part);
  if (span > kTopBit) return invalid;
  return span;
}

Error csv_error(std::size_t column, std::string_view why) {
  return {ErrorKind::kInvalid, fmt::format("parse error on line 1, column {}: {}", column, why)};
}

// A field that begins with a quote, up to the comma or the end behind it. `at` is moved there.
Result<std::string> take_quoted_field(std::string_view line, std::size_t& at) {
  std::string field;
  for (++at; at < line.size(); ++at) {
    if (line[at] != '"') {
      field += line[at];
    } else if (at + 1 == line.size() || line[at + 1] == ',') {
      ++at;
      return field;
    } else if (line[at + 1] == '"') {
      field += line[at++];
    } else {
      return csv_error(at + 1, "extraneous or missing \" in quoted-field");
    }
  }
  return csv_error(line.size() + 1, "extraneous or missing \" in quoted-field");
}

}  // namespace

std::string go_quoted(std::string_view text) {
  std::string quoted = "\"";
  append_go_quoted(text, quoted);
  return quoted + "\"";
}

Result<std::uint64_t> parse_go_uint(std::string_view text) {
  return parse_digits("ParseUint", text, text);
}

Result<std::int64_t> parse_go_int(std::string_view text) {
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  ASSIGN_OR_RETURN(const std::uint64_t size,
                   parse_digits("ParseInt", text, text.substr(has_sign ? 1 : 0)));
  const bool is_negative = text.starts_with('-');
  if (size > kTopBit || (size == kTopBit && !is_negative)) {
    return refused("ParseInt", text, kRange);
  }
  return static_cast<std::int64_t>(is_negative ? 0 - size : size);
}

Result<bool> parse_go_bool(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (const std::string_view word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return refused("ParseBool", text, kSyntax);
}

Result<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  const Error invalid(ErrorKind::kInvalid, "time: invalid duration " + quoted_by_time(text));
  const bool is_negative = text.starts_with('-');
  std::string_view rest = text;
  if (is_negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest == "0") return std::chrono::nanoseconds(0);
  if (rest.empty()) return invalid;
  std::uint64_t total = 0;
  while (!rest.empty()) {
    ASSIGN_OR_RETURN(const std::uint64_t span, take_span(rest, text));
    if (span > kTopBit - total) return invalid;
    total += span;
  }
  if (total == kTopBit && !is_negative) return invalid;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(is_negative ? 0 - total : total));
}

Result<std::vector<std::string>> parse_go_csv(std::string_view text) {
  std::vector<std::string> fields;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.empty()) return fields;
  std::size_t at = 0;
  while (true) {
    if (at < text.size() && text[at] == '"') {
      ASSIGN_OR_RETURN(std::string field, take_quoted_field(text, at));
      fields.push_back(std::move(field));
    } else {
      const std::size_t end = std::min(text.find(',', at), text.size());
      const std::string_view field = text.substr(at, end - at);
      if (const std::size_t quote = field.find('"'); quote != std::string_view::npos) {
        return csv_error(at + quote + 1, "bare \" in non-quoted-field");
      }
      fields.emplace_back(field);
      at = end;
    }
    if (at == text.size()) return fields;
    ++at;  // past the comma
  }
}

}  // namespace restree
