// The manual pages, as they are installed, within the program.
//
// Read-only data; any thread.
#pragma once

#include <span>
#include <string_view>

namespace restree {

struct ManualPage {
  std::string_view name;  // of its file, like "restree.1"
  std::string_view text;  // in mdoc(7)
};

std::span<const ManualPage> manual_pages();

}  // namespace restree
