// Unicode scalar values as UTF-8.
#pragma once

#include <cstdint>
#include <string>

namespace restree {

// Appends the encoding of `rune` to `out`; false, and nothing is appended, if it is a surrogate or
// lies beyond U+10FFFF.
bool append_utf8(std::uint32_t rune, std::string& out);

}  // namespace restree
