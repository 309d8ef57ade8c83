#include "repo/format/utf8.h"

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

}  // namespace restree
