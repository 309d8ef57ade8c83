// The commands: each has a file command_NAME.cc, which declares its options and runs it.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "tools/cli/cli_app.h"
#include "tools/session/session.h"

namespace restree {

// Runs a command after its command line was parsed. An Error ends the program with the exit code of
// its kind; a command that ends with another code, like kIncomplete, returns it.
using Run = std::function<Result<ExitCode>(Session& session)>;

struct Command {
  std::string_view name;
  std::string_view summary;  // one line, for --help and completions
  // Adds the command's options to its part of the command line. The returned function owns them.
  Run (*declare)(CLI::App& app);
};

// Sorted by name.
const std::vector<Command>& all_commands();

// Commands that restic has and Restree does not have yet, each with what to do instead.
struct RefusedCommand {
  std::string_view name;
  std::string_view instead;
};
const std::vector<RefusedCommand>& refused_commands();

Run declare_backup(CLI::App& app);
Run declare_cache(CLI::App& app);
Run declare_cat(CLI::App& app);
Run declare_check(CLI::App& app);
Run declare_diff(CLI::App& app);
Run declare_dump(CLI::App& app);
Run declare_find(CLI::App& app);
Run declare_forget(CLI::App& app);
Run declare_generate(CLI::App& app);
Run declare_init(CLI::App& app);
Run declare_key(CLI::App& app);
Run declare_list(CLI::App& app);
Run declare_ls(CLI::App& app);
Run declare_mount(CLI::App& app);
Run declare_restore(CLI::App& app);
Run declare_snapshots(CLI::App& app);
Run declare_stats(CLI::App& app);
Run declare_tag(CLI::App& app);
Run declare_unlock(CLI::App& app);
Run declare_version(CLI::App& app);
Run declare_warm(CLI::App& app);

}  // namespace restree
