// restree restore
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "repo/pattern/pattern_filter.h"
#include "repo/restorer/restorer.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/tree_loading.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/index_option.h"
#include "tools/commands/node_text.h"
#include "tools/commands/pattern_options.h"
#include "tools/commands/restore_report.h"
#include "tools/commands/restore_target.h"
#include "tools/commands/second_options.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/ticker.h"

namespace restree {
namespace {

struct RestoreCommandOptions {
  std::vector<std::string> snapshots;
  std::string target;
  PatternOptions excludes;
  PatternOptions includes;
  std::vector<std::string> xattr_excludes;
  std::vector<std::string> xattr_includes;
  SnapshotOptions filter;
  SecondOptions second;
  IndexOption index;
  std::string overwrite = "always";
  bool dry_run = false;
  bool sparse = false;
  bool verify = false;
  bool remove_unexpected = false;
  bool ownership_by_name = false;
};

Overwrite overwrite_named(const std::string& word) {
  if (word == "if-changed") return Overwrite::kIfChanged;
  if (word == "if-newer") return Overwrite::kIfNewer;
  if (word == "never") return Overwrite::kNever;
  return Overwrite::kAlways;
}

Status check_words(const RestoreCommandOptions& options) {
  const auto invalid = [](std::string message) {
    return Status(Error(ErrorKind::kInvalid, std::move(message)));
  };
  if (options.snapshots.empty()) {
    return Error(ErrorKind::kInvalid, "no snapshot ID specified")
        .hinting("`latest` stands for the newest one; `snapshots` lists them all.");
  }
  if (options.snapshots.size() > 1) {
    return invalid(fmt::format("more than one snapshot ID specified: [{}]",
                               fmt::join(options.snapshots, " ")));
  }
  if (options.target.empty()) {
    return invalid("please specify a directory to restore to (--target)");
  }
  if (options.dry_run && options.verify) {
    return invalid("--dry-run and --verify are mutually exclusive");
  }
  if (!options.xattr_excludes.empty() && !options.xattr_includes.empty()) {
    return invalid("exclude and include xattr patterns are mutually exclusive");
  }
  return {};
}

// An option whose file holds no pattern is as good as none.
Result<Select> selection_of(const RestoreCommandOptions& options) {
  ASSIGN_OR_RETURN(PatternFilter excludes, PatternFilter::make(options.excludes, "exclude"));
  ASSIGN_OR_RETURN(PatternFilter includes, PatternFilter::make(options.includes, "include"));
  if (excludes.is_given() && includes.is_given()) {
    return Error(ErrorKind::kInvalid, "exclude and include patterns are mutually exclusive");
  }
  const bool whole_system = std::filesystem::path(options.target).lexically_normal() == "/";
  if (options.remove_unexpected && whole_system && !excludes.is_given() && !includes.is_given()) {
    return Error(ErrorKind::kInvalid,
                 "'--target / --delete' must be combined with an include or exclude filter");
  }
  if (excludes.is_given()) {
    return Select([filter = std::move(excludes)](const std::string& location, bool) {
      const bool selected = !filter.matches(location);
      return SelectVerdict{.selected = selected, .children = selected};
    });
  }
  if (includes.is_given()) {
    return Select([filter = std::move(includes)](const std::string& location, bool) {
      const PathPatterns::Verdict verdict = filter.match_with_below(location);
      return SelectVerdict{.selected = verdict.matched, .children = verdict.below_may_match};
    });
  }
  return Select();
}

Result<std::function<bool(std::string_view)>> xattr_selection_of(
    const RestoreCommandOptions& options) {
  const bool excludes = !options.xattr_excludes.empty();
  if (!excludes && options.xattr_includes.empty()) return std::function<bool(std::string_view)>();
  Result<PathPatterns> made =
      PathPatterns::parse(excludes ? options.xattr_excludes : options.xattr_includes);
  if (!made) {
    return std::move(made).error().with(excludes ? "--exclude-xattr" : "--include-xattr");
  }
  return std::function<bool(std::string_view)>(
      [patterns = std::move(*made), excludes](std::string_view name) {
        return patterns.match(name) != excludes;
      });
}

// As restic shows a snapshot in a line.
std::string description(const Snapshot& snapshot, const Output& output) {
  return fmt::format("snapshot {} of [{}] at {} by {}@{}", snapshot.id.short_hex(),
                     output.shown(fmt::format("{}", fmt::join(snapshot.paths, " "))),
                     go_time({snapshot.time, snapshot.time_offset_seconds}),
                     output.shown(snapshot.username), output.shown(snapshot.hostname));
}

Error with_errors(std::uint64_t count) {
  return {ErrorKind::kLocalIo, fmt::format("There were {} errors", count)};
}

Status verify(Session& session, const RestoreCommandOptions& options, Restorer& restorer) {
  session.output().say("verifying files in " + options.target);
  const auto begin = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const std::uint64_t count, restorer.verify());
  if (restorer.figures().errors > 0) return with_errors(restorer.figures().errors);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  session.output().say(fmt::format("finished verifying {} files in {} (took {:.3f}s)", count,
                                   options.target, took.count()));
  return {};
}

Result<ExitCode> run(const RestoreCommandOptions& options, Session& session) {
  RETURN_IF_ERROR(check_words(options));
  RestoreOptions restore;
  ASSIGN_OR_RETURN(restore.select, selection_of(options));
  ASSIGN_OR_RETURN(restore.select_xattr, xattr_selection_of(options));
  RETURN_IF_ERROR(session.use_second(options.second.access));
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  ASSIGN_OR_RETURN(
      const SelectedSnapshot selected,
      find_one_snapshot(session, *repository, options.snapshots.front(), options.filter));
  RETURN_IF_ERROR(repository->refresh_index(session.patience()));
  ASSIGN_OR_RETURN(const BlobId root,
                   find_root(*repository, selected.snapshot.tree, session.patience()));
  ASSIGN_OR_RETURN(const BlobId tree,
                   find_subfolder(*repository, root, selected.subfolder, session.patience()));
  RestoreReport report(session.output());
  restore.overwrite = overwrite_named(options.overwrite);
  restore.dry_run = options.dry_run;
  restore.sparse = options.sparse;
  restore.remove_unexpected = options.remove_unexpected;
  restore.ownership_by_name = options.ownership_by_name;
  restore.tell_items = report.tells_items();
  restore.patience = session.options().patience;
  restore.stop = session.stop();
  session.output().say(fmt::format(
      "restoring {} to {}", description(selected.snapshot, session.output()), options.target));
  ASSIGN_OR_RETURN(std::string target, absolute_target(options.target));
  Restorer restorer(*repository, std::move(restore), report, std::move(target));
  {
    const Ticker ticker(session.output().progress_interval(),
                        [&] { report.show_progress(restorer.figures()); });
    RETURN_IF_ERROR(restorer.restore(tree));
  }
  report.show_summary(restorer.figures());
  if (restorer.figures().errors > 0) return with_errors(restorer.figures().errors);
  if (options.verify) RETURN_IF_ERROR(verify(session, options, restorer));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_restore(CommandSyntax& app) {
  auto options = std::make_shared<RestoreCommandOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshot's id, its beginning, or latest; with :FOLDER, only that folder");
  add_text(app, "-t,--target", options->target, "The folder to restore to", TextIs::kFolder);
  add_pattern_options(app, "exclude", options->excludes);
  add_pattern_options(app, "include", options->includes);
  add_list(app, "--exclude-xattr", options->xattr_excludes,
           "Leave out extended attributes that match this pattern (repeatable)");
  add_list(app, "--include-xattr", options->xattr_includes,
           "Restore only extended attributes that match this pattern (repeatable)");
  add_snapshot_options(app, options->filter);
  add_second_options(app, options->second);
  add_index_option(app, options->index);
  add_flag(app, "--dry-run", options->dry_run, "Write nothing, only tell what would be done");
  add_flag(app, "--sparse", options->sparse, "Make holes of stretches of zeros");
  add_flag(app, "--verify", options->verify, "Read back what was written, and compare");
  add_choice(app, "--overwrite", options->overwrite, "overwrite behavior",
             {"always", "if-changed", "if-newer", "never"},
             "What becomes of files that are there already");
  add_flag(app, "--delete", options->remove_unexpected,
           "Delete from the target what is not in the snapshot");
  add_flag(app, "--ownership-by-name", options->ownership_by_name,
           "Restore owners by their names rather than their numbers");
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
