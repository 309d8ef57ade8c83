// restree unlock
#include <fmt/core.h>

#include <memory>

#include "repo/lock/lock_files.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

struct UnlockOptions {
  bool all = false;
};

Result<ExitCode> run_unlock(const UnlockOptions& options, Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kNone));
  ASSIGN_OR_RETURN(const std::size_t count,
                   remove_locks(*repository, options.all, session.patience()));
  if (count > 0) session.output().say(fmt::format("successfully removed {} locks", count));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_unlock(CommandSyntax& app) {
  const auto options = std::make_shared<UnlockOptions>();
  add_flag(app, "--remove-all", options->all,
           "Remove all locks, also those of programs that are at work");
  return [options](Session& session) { return run_unlock(*options, session); };
}

}  // namespace restree
