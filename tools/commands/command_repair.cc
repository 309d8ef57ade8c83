// restree repair config, repair index, repair packs, repair snapshots; and the list of all that
// `repair` does
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
#include "tools/commands/quarantine_options.h"
#include "tools/commands/rewriting.h"
#include "tools/commands/second_repository.h"
#include "tools/commands/snapshot_options.h"

namespace restree {
namespace {

struct RepairIndexOptions {
  bool read_all_packs = false;
  QuarantineOptions quarantine;
  RepairSource source;
};

struct RepairSnapshotsOptions {
  std::vector<std::string> snapshots;
  SnapshotOptions filter;
  bool forget = false;
  bool dry_run = false;
  QuarantineOptions quarantine;
  RepairSource source;
};

constexpr const char* kNotKept = "nothing is kept";

// What the second repository has of what is missing here, if one is named.
Status retrieve_if_asked(const RepairSource& source, Repository& repository, Session& session) {
  ASSIGN_OR_RETURN(const OtherRepository second, open_second(source, session));
  if (!second.repository) return {};
  RETURN_IF_ERROR(repository.refresh_index(session.patience()));
  RETURN_IF_ERROR(retrieve_missing(repository, *second.repository, {}, session, session.output()));
  return {};
}

Result<ExitCode> run_repair_index(const RepairIndexOptions& options, Session& session) {
  RETURN_IF_ERROR(use_quarantine(options.quarantine, session));
  // A whole index file in the cache says nothing about that in the storage.
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open(Locking::kExclusiveToWrite, Reading::kFromStorage));
  RETURN_IF_ERROR(repair_index_of(session, *repository, options.read_all_packs, session.output()));
  RETURN_IF_ERROR(retrieve_if_asked(options.source, *repository, session));
  session.output().say_even_as_json("done");
  return ExitCode::kSuccess;
}

Result<ExitCode> run_repair_snapshots(const RepairSnapshotsOptions& options, Session& session) {
  RETURN_IF_ERROR(use_quarantine(options.quarantine, session));
  const Locking locking = options.dry_run ? Locking::kNone : Locking::kExclusiveToWrite;
  if (options.forget && !options.snapshots.empty()) {
    // A whole file in the cache says nothing about that in the storage.
    RETURN_IF_ERROR(session.open(locking, Reading::kFromStorage));
  }
  if (is_given(options.source) && !options.dry_run) {
    ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(locking));
    RETURN_IF_ERROR(retrieve_if_asked(options.source, *repository, session));
  }
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
  add_repair_source(app, options->source);
  add_quarantine_option(app, options->quarantine, kNotKept);
  return [options](Session& session) { return run_repair_snapshots(*options, session); };
}

}  // namespace

Run declare_repair_index(CommandSyntax& app) {
  const auto options = std::make_shared<RepairIndexOptions>();
  add_flag(app, "--read-all-packs", options->read_all_packs,
           "Read the headers of all packs, and not only of those of which the index is wrong");
  add_repair_source(app, options->source);
  add_quarantine_option(app, options->quarantine, kNotKept);
  return [options](Session& session) { return run_repair_index(*options, session); };
}

Run declare_repair_packs(CommandSyntax& app) {
  const auto wish = std::make_shared<PackRepairWish>();
  add_arguments(app, "ID", wish->ids, "The damaged packs, each by all digits of its id");
  add_repair_source(app, wish->source);
  add_quarantine_option(app, wish->quarantine, "a copy of each pack in the current folder");
  return [wish, program = app.program_name()](Session& session) {
    return repair_packs_of(*wish, program, session);
  };
}

Run declare_repair_config(CommandSyntax& /*app*/) { return repair_config_of; }

const std::vector<Command>& repair_commands() {
  static const std::vector<Command> commands = {
      {"all", "Do all repairs that help, in the right order", declare_repair_all},
      {"config", "Put a new config in place of one that is lost", declare_repair_config},
      {"index", "Make the index agree with the packs", declare_repair_index},
      {"packs", "Save what is whole in damaged packs, and remove them", declare_repair_packs},
      {"plan", "Say what is damaged, which repairs help, and what is lost", declare_repair_plan},
      {"quarantine", "List what repairs have removed and kept", declare_repair_quarantine},
      {"snapshots", "Make snapshots whole by leaving out what is lost", declare_repair_snapshots},
  };
  return commands;
}

// By itself it prints its help.
Run declare_repair(CommandSyntax& /*app*/) { return {}; }

}  // namespace restree
