// The last words of a command that did not do all it should: for people, or for programs.
#pragma once

#include <string_view>

#include "program/exit_codes.h"
#include "tools/io.h"

namespace restree {

// To stderr; with --json as restic's object `exit_error`. Gives the code back.
ExitCode print_exit_error(std::string_view message, ExitCode code, bool json, Io& io);

}  // namespace restree
