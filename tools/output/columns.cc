#include "tools/output/columns.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "repo/text/utf8.h"
#include "tools/output/column_ranges.h"

namespace restree {
namespace {

template <std::size_t kCount>
bool is_in(const ColumnRange (&ranges)[kCount], std::uint32_t rune) {
  const auto* const range = std::ranges::lower_bound(ranges, rune, {}, &ColumnRange::last);
  return range != std::end(ranges) && range->first <= rune;
}

struct Character {
  std::size_t length;  // in bytes
  std::size_t columns;
};

// `text` is not empty.
Character first_character(std::string_view text) {
  const DecodedRune decoded = decode_utf8(text);
  if (decoded.length <= 1) return {1, 1};
  if (is_in(kZeroWidthRunes, decoded.rune)) return {decoded.length, 0};
  return {decoded.length, is_in(kWideRunes, decoded.rune) ? 2U : 1U};
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character first = first_character(text);
    columns += first.columns;
    text.remove_prefix(first.length);
  }
  return columns;
}

std::string_view first_columns(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const Character next = first_character(text.substr(end));
    if (next.columns > columns) break;
    columns -= next.columns;
    end += next.length;
  }
  return text.substr(0, end);
}

std::size_t status_columns(const Io& io) {
  return io.is_terminal() ? io.width() - 1 : std::string::npos;
}

std::string fitted(const std::vector<StatusPart>& parts, std::size_t columns) {
  unsigned highest = 0;
  for (const StatusPart& part : parts) highest = std::max(highest, part.rank);
  for (;; --highest) {
    std::string line;
    for (const StatusPart& part : parts) {
      if (part.rank <= highest) line += part.text;
    }
    if (highest == 0 || columns_of(line) <= columns) return line;
  }
}

}  // namespace restree
