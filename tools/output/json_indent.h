// Indents compact JSON as Go's json.MarshalIndent does, with two spaces a level.
#pragma once

#include <string>
#include <string_view>

namespace restree {

// `compact` is JSON without white space between its tokens.
std::string indent_json(std::string_view compact);

}  // namespace restree
