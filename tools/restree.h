// The program restree, apart from its process: parses a command line and runs the command.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "program/exit_codes.h"
#include "tools/cli_app.h"
#include "tools/io.h"
#include "tools/session.h"

namespace restree {

// `words`: the command line without the program's name. All failures have been told to `io` when
// this returns.
ExitCode run_restree(const std::vector<std::string>& words, Io& io, const std::stop_token& stop,
                     const StorageMaker& make_storage = storage_at);

// The command line as it is declared, for help, completions and the manual page to be made of and
// compared with. It holds options of its own, which nobody reads.
std::shared_ptr<const CLI::App> declared_command_line();

}  // namespace restree
