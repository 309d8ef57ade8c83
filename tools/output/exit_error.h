// Prints the final message of a command that did not do all it should.
#pragma once

#include <string_view>

#include "program/exit_codes.h"
#include "tools/output/io.h"

namespace restree {

// Prints to stderr, with --json as restic's object `exit_error`. Returns `code`.
ExitCode print_exit_error(std::string_view message, ExitCode code, bool json, Io& io);

}  // namespace restree
