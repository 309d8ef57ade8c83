// restree repair config, repair index, repair packs, repair snapshots
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/rewriter/tree_rules.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/config_repairing.h"
#include "tools/commands/index_repairing.h"
#include "tools/commands/pack_repairing.h"
#include "tools/commands/rewriting.h"
#include "tools/commands/snapshot_options.h"

namespace restree {
namespace {

struct RepairIndexOptions {
  bool read_all_packs = false;
};

struct RepairSnapshotsOptions {
  std::vector<std::string> snapshots;
  SnapshotOptions filter;
  bool forget = false;
  bool dry_run = false;
};

Result<ExitCode> run_repair_index(const RepairIndexOptions& options, Session& session) {
  // A whole index file in the cache says nothing about that in the storage.
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open(Locking::kExclusiveToWrite, Reading::kFromStorage));
  RETURN_IF_ERROR(repair_index_of(session, *repository, options.read_all_packs));
  session.output().say_even_as_json("done");
  return ExitCode::kSuccess;
}

Result<ExitCode> run_repair_snapshots(const RepairSnapshotsOptions& options, Session& session) {
  RewriteOptions how{.forget = options.forget, .dry_run = options.dry_run};
  how.edit = {.tag = options.forget ? "" : "repaired"};
  std::optional<RepairRules> rules;
  const auto rules_for = [&](const Repository& repository) -> const TreeRules* {
    return &rules.emplace(
        [&repository](const BlobId& id) { return repository.blob_size(BlobType::kData, id); });
  };
  return rewrite_snapshots(
      session, {options.snapshots, options.filter, Locking::kExclusiveToWrite, options.forget},
      rules_for, how);
}

Run declare_repair_snapshots(CommandSyntax& app) {
  const auto options = std::make_shared<RepairSnapshotsOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshots to repair (default: all that --host, --tag and --path choose)");
  add_snapshot_options(app, options->filter);
  add_flag(app, "--forget", options->forget, "Remove each snapshot once its new form is saved");
  add_flag(app, "-n,--dry-run", options->dry_run, "Only say what would be done");
  return [options](Session& session) { return run_repair_snapshots(*options, session); };
}

}  // namespace

Run declare_repair_index(CommandSyntax& app) {
  const auto options = std::make_shared<RepairIndexOptions>();
  add_flag(app, "--read-all-packs", options->read_all_packs,
           "Read the headers of all packs, and not only of those of which the index is wrong");
  return [options](Session& session) { return run_repair_index(*options, session); };
}

Run declare_repair_packs(CommandSyntax& app) {
  const auto ids = std::make_shared<std::vector<std::string>>();
  add_arguments(app, "ID", *ids, "The damaged packs, each by all digits of its id");
  return [ids, program = app.program_name()](Session& session) {
    return repair_packs_of(*ids, program, session);
  };
}

Run declare_repair_config(CommandSyntax& /*app*/) { return repair_config_of; }

const std::vector<Command>& repair_commands() {
  static const std::vector<Command> commands = {
      {"config", "Put a new config in place of one that is lost", declare_repair_config},
      {"index", "Make the index agree with the packs", declare_repair_index},
      {"packs", "Save what is whole in damaged packs, and remove them", declare_repair_packs},
      {"snapshots", "Make snapshots whole by leaving out what is lost", declare_repair_snapshots},
  };
  return commands;
}

// By itself it prints its help.
Run declare_repair(CommandSyntax& /*app*/) { return {}; }

}  // namespace restree
