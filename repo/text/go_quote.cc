#include "repo/text/go_quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "repo/text/printable_runes.h"
#include "repo/text/utf8.h"

namespace restree {
namespace {

struct RuneRange {
  std::uint32_t first;
  std::uint32_t last;
};

std::uint32_t take_hex(std::string_view& text) {
  std::uint32_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return value;
}

std::vector<RuneRange> unpack_table(std::string_view table) {
  std::vector<RuneRange> ranges;
  std::uint32_t next = 0;
  while (!table.empty()) {
    next += take_hex(table);
    std::uint32_t count = 1;
    if (table.starts_with('.')) {
      table.remove_prefix(1);
      count = take_hex(table);
    }
    ranges.push_back({next, next + count - 1});
    next += count;
    table.remove_prefix(std::min<std::size_t>(table.size(), 1));
  }
  return ranges;
}

// The letter behind the backslash, for runes that have one.
char short_escape(std::uint32_t rune) {
  switch (rune) {
    case '"':
    case '\\':
      return static_cast<char>(rune);
    case '\a':
      return 'a';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '\v':
      return 'v';
    default:
      return 0;
  }
}

void append_rune(std::uint32_t rune, std::string_view encoded, std::string& out) {
  if (const char letter = short_escape(rune)) {
    out += '\\';
    out += letter;
  } else if (is_printable_rune(rune)) {
    out += encoded;
  } else if (rune < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", rune);
  } else if (rune < 0x10000) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", rune);
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", rune);
  }
}

}  // namespace

bool is_printable_rune(std::uint32_t rune) {
  if (rune < 0x7f) return rune >= ' ';
  static const std::vector<RuneRange> ranges = unpack_table(kPrintableRunes);
  const auto range = std::ranges::lower_bound(ranges, rune, {}, &RuneRange::last);
  return range != ranges.end() && range->first <= rune;
}

void append_go_quoted(std::string_view name, std::string& out) {
  while (!name.empty()) {
    const DecodedRune decoded = decode_utf8(name);
    if (decoded.length == 0) {
      const unsigned byte = static_cast<unsigned char>(name.front());
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
      name.remove_prefix(1);
      continue;
    }
    append_rune(decoded.rune, name.substr(0, decoded.length), out);
    name.remove_prefix(decoded.length);
  }
}

std::string quoted_if_odd(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const DecodedRune decoded = decode_utf8(rest);
    // restic takes the character that stands for such bytes for one of them.
    const bool is_odd =
        decoded.length == 0 || decoded.rune == 0xfffd || !is_printable_rune(decoded.rune);
    if (is_odd) {
      std::string quoted = "\"";
      append_go_quoted(text, quoted);
      return quoted + '"';
    }
    rest.remove_prefix(decoded.length);
  }
  return std::string(text);
}

}  // namespace restree
