// Writes node names as trees hold them: as Go's strconv.Quote does, without the quotes around them.
//
// Which runes Go takes for printable depends on the Unicode version of its tables, and so does the
// hash of every tree that has such a name: the table is Unicode 15.0's for good, as in restic 0.16
// to 0.19. Reading a name needs no such table (repo/format/node_name.h).
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace restree {

void append_go_quoted(std::string_view name, std::string& out);

// A text as restic prints it in a line: as it is, or, with any rune that is not printable or any byte
// that is not UTF-8, quoted as Go quotes a string.
std::string quoted_if_odd(std::string_view text);

// Letters, marks, numbers, punctuation, symbols and the ASCII space.
bool is_printable_rune(std::uint32_t rune);

}  // namespace restree
