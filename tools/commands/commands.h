// The commands: each has a file command_NAME.cc, which declares its options and runs it.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "tools/cli/command_syntax.h"
#include "tools/session/session.h"

namespace restree {

// Runs a command after its command line was parsed. An Error ends the program with the exit code of
// its kind; a command that ends with another code, like kIncomplete, returns it.
using Run = std::function<Result<ExitCode>(Session& session)>;

struct Command {
  std::string_view name;
  std::string_view summary;  // one line, for --help and completions
  // Adds the command's options to its part of the command line. The returned function owns them.
  // nullptr, or an empty function returned: the command only stands before commands of its own, as
  // in `key list`.
  Run (*declare)(CommandSyntax& app);
  const std::vector<Command>& (*parts)() = nullptr;
  // If not empty: what to use instead. Using the command says so, and help leaves it out.
  std::string_view deprecated = {};
};

// Sorted by name.
const std::vector<Command>& all_commands();

// Commands that restic has and Restree does not have yet, each with what to do instead.
struct RefusedCommand {
  std::string_view name;
  std::string_view instead;
};
const std::vector<RefusedCommand>& refused_commands();

Run declare_audit(CommandSyntax& app);
Run declare_backup(CommandSyntax& app);
Run declare_cache(CommandSyntax& app);
Run declare_cat(CommandSyntax& app);
Run declare_check(CommandSyntax& app);
Run declare_copy(CommandSyntax& app);
Run declare_diff(CommandSyntax& app);
Run declare_dump(CommandSyntax& app);
Run declare_features(CommandSyntax& app);
Run declare_find(CommandSyntax& app);
Run declare_forget(CommandSyntax& app);
Run declare_generate(CommandSyntax& app);
Run declare_init(CommandSyntax& app);
const std::vector<Command>& key_commands();
Run declare_list(CommandSyntax& app);
Run declare_ls(CommandSyntax& app);
Run declare_migrate(CommandSyntax& app);
Run declare_mount(CommandSyntax& app);
Run declare_options(CommandSyntax& app);
Run declare_problems(CommandSyntax& app);
Run declare_prune(CommandSyntax& app);
const std::vector<Command>& repair_commands();
Run declare_recover(CommandSyntax& app);
Run declare_repair(CommandSyntax& app);
Run declare_repair_all(CommandSyntax& app);
Run declare_repair_index(CommandSyntax& app);
const std::vector<Command>& rescue_key_commands();
Run declare_repair_plan(CommandSyntax& app);
Run declare_repair_quarantine(CommandSyntax& app);
Run declare_restore(CommandSyntax& app);
Run declare_rewrite(CommandSyntax& app);
Run declare_salvage(CommandSyntax& app);
Run declare_snapshots(CommandSyntax& app);
Run declare_stats(CommandSyntax& app);
Run declare_tag(CommandSyntax& app);
Run declare_unlock(CommandSyntax& app);
Run declare_version(CommandSyntax& app);
Run declare_warm(CommandSyntax& app);

}  // namespace restree
