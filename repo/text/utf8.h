// Unicode scalar values as UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace restree {

// Stands for bytes that are not a character.
inline constexpr std::uint32_t kReplacementRune = 0xfffd;

// Appends the encoding of `rune` to `out`; false, and nothing is appended, if it is a surrogate or
// lies beyond U+10FFFF.
bool append_utf8(std::uint32_t rune, std::string& out);

// The scalar value that `text` begins with. Length 0: it does not begin with one (surrogates,
// overlong forms and incomplete sequences do not count).
struct DecodedRune {
  std::uint32_t rune = 0;
  std::size_t length = 0;
};
DecodedRune decode_utf8(std::string_view text);

}  // namespace restree
