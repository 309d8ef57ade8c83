// restree migrate
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "program/state_folder.h"
#include "repo/base/path.h"
#include "repo/config_upgrade.h"
#include "tools/cli/option_words.h"
#include "tools/commands/checking.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

struct MigrateOptions {
  std::vector<std::string> names;
  bool force = false;
  std::string program = {};  // what the user calls this one
};

struct Migration {
  std::string_view name;
  std::string_view summary;
  // Why it cannot be applied; nullopt: it can.
  std::optional<std::string> (*obstacle)(const Repository& repository);
  Status (*apply)(Repository& repository, const Session& session);
};

std::optional<std::string> version_obstacle(const Repository& repository) {
  const std::uint32_t version = repository.config().version;
  if (version == 1) return std::nullopt;
  return fmt::format("repository is already upgraded to version {}", version);
}

Status upgrade_version(Repository& repository, const Session& session) {
  ASSIGN_OR_RETURN(const std::string state, state_folder());
  const std::string kept =
      join_path(join_path(state, "config-before-migration"), repository.config().id.hex());
  return upgrade_config(repository, kept, session.patience());
}

constexpr std::array kMigrations{
    Migration{"upgrade_repo_v2", "upgrade a repository to version 2", version_obstacle,
              upgrade_version},
};

void list_migrations(const Repository& repository, const Output& output) {
  output.say_even_as_json("available migrations:");
  bool is_any = false;
  for (const Migration& migration : kMigrations) {
    if (migration.obstacle(repository)) continue;
    is_any = true;
    output.say_even_as_json(fmt::format("  {}\t{}", migration.name, migration.summary));
  }
  if (!is_any) output.say_even_as_json("no migrations found");
}

// The same check as `check` makes without options, of all snapshots whatever RESTIC_HOST says.
Status check_integrity(const std::string& program, Session& session, Repository& repository) {
  session.output().say_even_as_json("checking repository integrity...");
  CheckReport report(session.output(), program);
  BulkOptions bulk;
  bulk.patience = session.options().patience;
  bulk.stop = session.stop();
  Checker checker(repository, report, bulk);
  CheckWish everything;
  everything.filter.hosts = {""};
  return run_check(everything, session, repository, checker, report);
}

Status apply(const Migration& migration, const MigrateOptions& options, Session& session,
             Repository& repository) {
  const Output& output = session.output();
  if (const auto obstacle = migration.obstacle(repository)) {
    if (!options.force) {
      output.warn(
          fmt::format("migration {} cannot be applied: {}\n"
                      "If you want to apply this migration anyway, re-run with option --force",
                      migration.name, *obstacle));
      return {};
    }
    output.warn(fmt::format("check for migration {} failed, continuing anyway", migration.name));
  }
  RETURN_IF_ERROR(check_integrity(options.program, session, repository));
  output.say_even_as_json(fmt::format("applying migration {}...", migration.name));
  if (Status applied = migration.apply(repository, session); !applied) {
    output.warn(fmt::format("migration {} failed: {}", migration.name, applied.error().message()));
    return applied;
  }
  output.say_even_as_json(fmt::format("migration {}: success", migration.name));
  return {};
}

Result<ExitCode> run(const MigrateOptions& options, Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository,
                   session.open(Locking::kExclusiveToWrite, Reading::kFromStorage));
  if (options.names.empty()) list_migrations(*repository, session.output());
  for (const std::string& name : options.names) {
    const auto found = std::ranges::find(kMigrations, name, &Migration::name);
    if (found == kMigrations.end()) {
      session.output().warn("unknown migration " + name);
      continue;
    }
    RETURN_IF_ERROR(apply(*found, options, session, *repository));
  }
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_migrate(CommandSyntax& app) {
  auto options = std::make_shared<MigrateOptions>();
  add_arguments(app, "name", options->names,
                "The migrations to apply (default: list those that can be applied)");
  add_flag(app, "-f,--force", options->force, "Apply a migration a second time");
  options->program = app.program_name();
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
