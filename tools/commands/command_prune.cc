// restree prune
#include <memory>

#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/pruning.h"

namespace restree {

Run declare_prune(CommandSyntax& app) {
  const auto options = std::make_shared<PruneCommandOptions>();
  add_prune_options(app, *options);
  add_flag(app, "-n,--dry-run", options->dry_run, "Only say what would be removed");
  add_flag(app, "--exclusive", options->exclusive,
           "Keep others out from the beginning, and remove new packs that no index names, too");
  add_text(app, "--unsafe-recover-no-free-space", options->recover_id,
           "The id of a repository whose storage is full: remove before writing");
  return [options](Session& session) { return prune(session, *options, {}); };
}

}  // namespace restree
