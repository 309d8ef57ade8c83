// How many columns of a terminal a text takes, and the part of it that fits.
//
// The text is UTF-8, whatever the locale says, since that is what names in a repository are. A wide
// character of East Asia or an emoji takes two columns, a mark on the letter before it none, a byte
// that is not UTF-8 one. Control characters count as one column; for_terminal() makes them visible
// first. What is joined by zero width joiners counts as its parts do: many terminals show it so.
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/output/io.h"

namespace restree {

std::size_t columns_of(std::string_view text);

// The longest beginning of `text` that takes at most `columns`, of whole characters with their marks.
std::string_view first_columns(std::string_view text, std::size_t columns);

// How many columns a status line can have: those of the terminal but the last, where some terminals
// wrap; where there is no terminal, as many as there are.
std::size_t status_columns(const Io& io);

// A part of a line that shows progress. `rank` 0: it is always there; the part with the highest rank is
// the first to be left out.
struct StatusPart {
  std::string text;
  unsigned rank;
};

// The parts one after the other, without as many of those of the highest ranks as it takes to fit
// into `columns`.
std::string fitted(const std::vector<StatusPart>& parts, std::size_t columns);

}  // namespace restree
