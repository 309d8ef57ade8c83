// A text file that a user has written, line by line.
//
// The file is UTF-8, UTF-16 with a byte order mark, or any other bytes. A byte order mark is
// removed. Lines end in LF or CRLF.
// Errors: those of reading the file, with its name.     Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// All bytes of a file. read_standard_input() is for callers that give "-" that meaning.
Result<std::string> read_whole_file(const std::string& path);
Result<std::string> read_standard_input();

Result<std::vector<std::string>> read_text_lines(const std::string& path);
std::vector<std::string> text_lines(std::string_view bytes);

// The text without white space, as Unicode defines it, at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace restree
