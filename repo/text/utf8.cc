#include "repo/text/utf8.h"

namespace restree {

bool append_utf8(std::uint32_t rune, std::string& out) {
  if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return false;
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  const auto add_tail = [&](int shift) { add(0x80 | (rune >> shift & 0x3f)); };
  if (rune < 0x80) {
    add(rune);
  } else if (rune < 0x800) {
    add(0xc0 | rune >> 6);
    add_tail(0);
  } else if (rune < 0x10000) {
    add(0xe0 | rune >> 12);
    add_tail(6);
    add_tail(0);
  } else {
    add(0xf0 | rune >> 18);
    add_tail(12);
    add_tail(6);
    add_tail(0);
  }
  return true;
}

DecodedRune decode_utf8(std::string_view text) {
  if (text.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xc2 || lead > 0xf4) return {};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (text.size() < length) return {};
  std::uint32_t rune = lead & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    rune = rune << 6 | (byte(i) & 0x3fU);
  }
  const std::uint32_t least = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
  if (rune < least || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000)) return {};
  return {rune, length};
}

}  // namespace restree
