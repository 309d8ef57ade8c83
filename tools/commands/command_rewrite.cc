// restree rewrite
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/restic_words.h"
#include "repo/pattern/pattern_filter.h"
#include "repo/rewriter/snapshot_rewriter.h"
#include "repo/rewriter/tree_rules.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/pattern_options.h"
#include "tools/commands/rewriting.h"
#include "tools/commands/snapshot_options.h"
#include "tools/commands/snapshot_time.h"

namespace restree {
namespace {

struct RewriteCommandOptions {
  std::vector<std::string> snapshots;
  SnapshotOptions filter;
  PatternOptions exclude;
  PatternOptions include;
  std::string new_host;
  std::string new_time;
  bool summary = false;
  bool forget = false;
  bool dry_run = false;
};

Status check(const RewriteCommandOptions& options) {
  if (!options.exclude.empty() && !options.include.empty()) {
    return Error(ErrorKind::kInvalid, std::string(restic_words::kExcludesAndIncludes.text));
  }
  const bool has_patterns = !options.exclude.empty() || !options.include.empty();
  const bool has_fields = !options.new_host.empty() || !options.new_time.empty();
  if (has_patterns || has_fields || options.summary) return {};
  return Error(ErrorKind::kInvalid, std::string(restic_words::kNothingToRewrite.text))
      .hinting("Say what to do with --exclude, --include, --new-host, --new-time or -s.");
}

// nullptr: the trees stay as they are, and need not be counted either.
Result<std::unique_ptr<TreeRules>> rules_of(const RewriteCommandOptions& options) {
  ASSIGN_OR_RETURN(PatternFilter include, PatternFilter::make(options.include, "include"));
  if (include.is_given()) return std::make_unique<IncludeRules>(std::move(include));
  ASSIGN_OR_RETURN(PatternFilter exclude, PatternFilter::make(options.exclude, "exclude"));
  if (!exclude.is_given() && !options.summary) return nullptr;
  return std::make_unique<ExcludeRules>(std::move(exclude));
}

Result<ExitCode> run_rewrite(const RewriteCommandOptions& options, Session& session) {
  RETURN_IF_ERROR(check(options));
  ASSIGN_OR_RETURN(const std::unique_ptr<TreeRules> rules, rules_of(options));
  RewriteOptions how{.forget = options.forget, .dry_run = options.dry_run};
  how.edit = {.host = options.new_host,
              .tag = options.forget ? "" : "rewrite",
              .count_content = true,
              .remove_emptied = options.include.empty()};
  if (!options.new_time.empty()) {
    ASSIGN_OR_RETURN(how.edit.time, parse_snapshot_time(options.new_time));
  }
  // Each snapshot is to have its own lines about what it loses.
  if (session.output().has_items()) how.repeated = Repeated::kWalkedAgain;
  if (options.forget) session.output().say_even_as_json(restic_words::kExclusiveLock.text);
  const Locking locking = options.forget ? Locking::kExclusiveToWrite : Locking::kSharedToWrite;
  return rewrite_snapshots(
      session, {options.snapshots, options.filter, locking},
      [&](const Repository&) { return rules.get(); }, how);
}

}  // namespace

Run declare_rewrite(CommandSyntax& app) {
  const auto options = std::make_shared<RewriteCommandOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshots to rewrite (default: all that --host, --tag and --path choose)");
  add_snapshot_options(app, options->filter);
  add_pattern_options(app, "exclude", options->exclude);
  add_pattern_options(app, "include", options->include);
  add_text(app, "--new-host", options->new_host, "The host that they are to have");
  add_text(app, "--new-time", options->new_time,
           "The time that they are to have, like '2026-09-01 03:00:00'");
  add_flag(app, "-s,--snapshot-summary", options->summary,
           "Record how many files and bytes they hold where that is missing");
  add_flag(app, "--forget", options->forget, "Remove each snapshot once its new form is saved");
  add_flag(app, "-n,--dry-run", options->dry_run, "Only say what would be done");
  return [options](Session& session) { return run_rewrite(*options, session); };
}

}  // namespace restree
