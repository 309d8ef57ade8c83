// The commit that the program was built from. Its source is written by cmake/Commit.cmake.
#pragma once

#include <string_view>

namespace restree {

// "56fe22a1c3d4"; with "-dirty" behind it if files were changed since; empty if it was not built
// from a git work tree.
std::string_view build_commit();

}  // namespace restree
