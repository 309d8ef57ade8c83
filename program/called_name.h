// The name by which the user called the program.
#pragma once

#include <string>
#include <string_view>

namespace restree {

// The file name of the call, which may be that of a link, such as "restic". `usual` instead if that
// name has characters other than letters, digits, '.', '_' and '-', or begins with one of these.
// Threads: any.
std::string called_name(std::string_view usual);

}  // namespace restree
