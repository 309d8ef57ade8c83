// Runs the program restree for a given command line. Independent of the process, so that tests can
// call it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "program/exit_codes.h"
#include "tools/cli/command_syntax.h"
#include "tools/output/io.h"
#include "tools/session/session.h"

namespace restree {

// The name that the program is installed under. It may be called by others, such as "restic".
inline constexpr std::string_view kProgram = "restree";

// `words`: the command line without the program's name, which is `program`, without folders. Prints
// all errors to `io` itself.
ExitCode run_restree(const std::vector<std::string>& words, Io& io, const std::stop_token& stop,
                     const StorageMaker& make_storage = storage_at,
                     const std::string& program = std::string(kProgram));

// The declared command line, for help, completions, and tests of the manual page. Parsing with it
// fills options that are not used.
std::shared_ptr<const CommandSyntax> declared_command_line();

}  // namespace restree
