#include "repo/format/json_writer.h"

#include <fmt/core.h>

#include "repo/format/utf8.h"

namespace restree {
namespace {

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

}  // namespace

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
  json_ += '"';
  while (!value.empty()) {
    const DecodedRune decoded = decode_utf8(value);
    if (decoded.length == 0) {
      json_ += "\\ufffd";
      value.remove_prefix(1);
      continue;
    }
    append_escaped(decoded.rune, value.substr(0, decoded.length), json_);
    value.remove_prefix(decoded.length);
  }
  json_ += '"';
  return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value) {
  separate();
  json_ += std::to_string(value);
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

}  // namespace restree
