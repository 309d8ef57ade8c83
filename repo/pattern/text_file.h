// A text file that a user has written, line by line.
//
// UTF-8 or UTF-16 with a byte order mark, which is no part of the first line, or any bytes; lines
// end in LF or CRLF.
// Errors: of the file, naming it.     Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// All bytes of a file, or of standard input for "-" where that is meant.
Result<std::string> read_whole_file(const std::string& path);
Result<std::string> read_standard_input();

Result<std::vector<std::string>> read_text_lines(const std::string& path);
std::vector<std::string> text_lines(std::string_view bytes);

// Without the white space (all of Unicode's) at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace restree
