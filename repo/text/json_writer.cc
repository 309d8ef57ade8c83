#include "repo/text/json_writer.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "repo/text/utf8.h"

namespace restree {
namespace {

// Go writes other numbers with an exponent.
constexpr double kLeastPlain = 1e-6;
constexpr double kMostPlain = 1e21;

constexpr std::uint32_t kLineSeparator = 0x2028;
constexpr std::uint32_t kParagraphSeparator = 0x2029;

void append_escaped(std::uint32_t rune, std::string_view encoded, std::string& json) {
  switch (rune) {
    case '"':
      json += "\\\"";
      return;
    case '\\':
      json += "\\\\";
      return;
    case '\b':
      json += "\\b";
      return;
    case '\f':
      json += "\\f";
      return;
    case '\n':
      json += "\\n";
      return;
    case '\r':
      json += "\\r";
      return;
    case '\t':
      json += "\\t";
      return;
    default:
      break;
  }
  const bool is_html = rune == '<' || rune == '>' || rune == '&';
  if (rune < 0x20 || is_html || rune == kLineSeparator || rune == kParagraphSeparator) {
    json += fmt::format("\\u{:04x}", rune);
  } else {
    json += encoded;
  }
}

// ASCII that stands for itself: nearly all that trees and snapshots consist of.
constexpr bool is_plain(char c) {
  const bool special = c == '"' || c == '\\' || c == '<' || c == '>' || c == '&';
  return c >= 0x20 && !special;
}
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int byte = 0; byte < 128; ++byte) {
    plain[static_cast<std::size_t>(byte)] = is_plain(static_cast<char>(byte));
  }
  return plain;
}();

std::size_t plain_prefix(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && kPlain[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

}  // namespace

void append_json_text(std::string_view value, std::string& json) {
  json += '"';
  for (;;) {
    const std::size_t plain = plain_prefix(value);
    json += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) break;
    const DecodedRune decoded = decode_utf8(value);
    if (decoded.length == 0) {
      json += "\\ufffd";
      value.remove_prefix(1);
      continue;
    }
    append_escaped(decoded.rune, value.substr(0, decoded.length), json);
    value.remove_prefix(decoded.length);
  }
  json += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) json_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  json_ += '{';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  json_ += '}';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  json_ += '[';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  json_ += ']';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  text(name);
  json_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_json_text(value, json_);
  return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value) {
  separate();
  json_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::real(double value) {
  separate();
  const double size = std::fabs(value);
  const bool is_plain = size == 0 || (size >= kLeastPlain && size < kMostPlain);
  std::array<char, 400> digits;
  auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                            is_plain ? std::chars_format::fixed : std::chars_format::scientific)
                  .ptr;
  // An exponent of one digit is written as such: 1e-7, not 1e-07.
  if (!is_plain && end - digits.data() > 4 && end[-4] == 'e' && end[-3] == '-' && end[-2] == '0') {
    end[-2] = end[-1];
    --end;
  }
  json_.append(digits.data(), end);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  json_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  json_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  json_ += json;
  return *this;
}

}  // namespace restree
