// The frozen table behind is_printable_rune(), in the compact form in which it is checked in.
#pragma once

#include <string_view>

namespace restree {

extern const std::string_view kPrintableRunes;

}  // namespace restree
