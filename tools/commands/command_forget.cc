// restree forget
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/identity.h"
#include "repo/retention/judged_groups.h"
#include "repo/snapshots/snapshot_changes.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/forget_report.h"
#include "tools/commands/retention_options.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct ForgetOptions {
  std::vector<std::string> snapshots;
  RetentionOptions retention;
  SnapshotOptions filter;
  std::string group_by = "host,paths";
  bool dry_run = false;
  bool compact = false;
  bool may_remove_all = false;
};

Status check(const ForgetOptions& options, const Session& session) {
  RETURN_IF_ERROR(options.retention.policy().check());
  if (session.options().no_lock && !options.dry_run) {
    return Error(ErrorKind::kInvalid,
                 "--no-lock is only applicable in combination with --dry-run for forget command");
  }
  return {};
}

// A run without ids and without rules.
Status check_empty_policy(const ForgetOptions& options) {
  if (!options.may_remove_all) {
    return Error(ErrorKind::kInvalid, "no policy was specified, no snapshots will be removed")
        .hinting("Name the snapshots to forget, or say with --keep-… which to keep.");
  }
  if (options.filter.filter().empty()) {
    return Error(ErrorKind::kInvalid,
                 "--unsafe-allow-remove-all is not allowed unless a snapshot filter option is "
                 "specified");
  }
  return {};
}

void say_what_would_go(const std::vector<SnapshotId>& ids, const Session& session) {
  std::string list;
  for (const SnapshotId& id : ids) list += (list.empty() ? "" : " ") + id.short_hex();
  session.output().say("Would have removed the following snapshots:\n{" + list + "}\n");
}

// Returns how many snapshots could not be removed.
Result<std::size_t> remove(const std::vector<SnapshotId>& ids, Repository& repository,
                           const Session& session) {
  const auto say = [&](const SnapshotId& id, const Status& removed) {
    if (!removed) {
      session.output().warn(fmt::format("unable to remove snapshot/{} from the repository: {}",
                                        id.hex(), removed.error().message()));
    } else {
      session.output().item("removed snapshot/" + id.hex());
    }
  };
  const auto begun = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(
      const std::size_t failed,
      remove_snapshots(
          repository, ids,
          {.patience = session.options().patience, .stop = session.stop(), .on_done = say}));
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  session.output().say(fmt::format("[{}] {}  {} / {} files deleted", format_duration(elapsed),
                                   format_percent(ids.size() - failed, ids.size()),
                                   ids.size() - failed, ids.size()));
  return failed;
}

// Removes the snapshots, or says which would be removed. Returns how many could not be.
Result<std::size_t> carry_out(std::vector<SnapshotId> ids, const ForgetOptions& options,
                              Repository& repository, const Session& session) {
  if (ids.empty()) return 0;
  std::sort(ids.begin(), ids.end());
  if (!options.dry_run) return remove(ids, repository, session);
  say_what_would_go(ids, session);
  return 0;
}

ExitCode verdict(std::size_t failed, const Session& session) {
  if (failed == 0) return ExitCode::kSuccess;
  return session.output().exit_error(
      "failed to remove one or more snapshots\n"
      "They are still in the repository; run the command again once the reason given for each is "
      "gone.",
      ExitCode::kIncomplete);
}

Result<ExitCode> forget_named(const ForgetOptions& options, Repository& repository,
                              Session& session) {
  ASSIGN_OR_RETURN(const std::vector<Snapshot> snapshots,
                   select_snapshots(repository, options.snapshots, options.filter.filter(),
                                    session.patience(), say_ignored(session)));
  std::vector<SnapshotId> ids;
  ids.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) ids.push_back(snapshot.id);
  ASSIGN_OR_RETURN(const std::size_t failed,
                   carry_out(std::move(ids), options, repository, session));
  return verdict(failed, session);
}

// All snapshots that match the filter. One that cannot be read is an error: it might be the one that
// a rule would keep in the place of another.
Result<std::vector<Snapshot>> load_to_judge(const ForgetOptions& options, Repository& repository,
                                            Session& session) {
  ASSIGN_OR_RETURN(AllSnapshots all, load_all_snapshots(repository, session.patience()));
  for (const UnreadableSnapshot& one : all.unreadable) {
    session.output().warn(
        fmt::format("failed to load snapshot {}: {}", one.id.hex(), one.error.message()));
  }
  if (!all.unreadable.empty()) {
    return Error(ErrorKind::kCorrupt,
                 fmt::format("failed to load snapshot {}: no snapshot was removed, as a policy can "
                             "only judge what can be read",
                             all.unreadable.front().id.hex()))
        .hinting("restree check says more about it; restic repair snapshots --forget " +
                 all.unreadable.front().id.hex() + " removes it.");
  }
  const SnapshotFilter filter = options.filter.filter();
  std::erase_if(all.readable, [&](const Snapshot& one) { return !filter.matches(one); });
  return std::move(all.readable);
}

// The first group of which nothing would be left; nullptr: there is none.
const JudgedGroup* find_emptied(const std::vector<JudgedGroup>& groups) {
  const auto emptied = std::ranges::find_if(
      groups, [](const JudgedGroup& group) { return group.removals() == group.judged.size(); });
  return emptied == groups.end() ? nullptr : &*emptied;
}

std::vector<SnapshotId> removals_of(const std::vector<JudgedGroup>& groups) {
  std::vector<SnapshotId> ids;
  for (const JudgedGroup& group : groups) {
    for (const JudgedSnapshot& one : group.judged) {
      if (!one.is_kept()) ids.push_back(one.snapshot->id);
    }
  }
  return ids;
}

Result<ExitCode> forget_by_policy(const ForgetOptions& options, Repository& repository,
                                  Session& session) {
  const RetentionPolicy policy = options.retention.policy();
  if (policy.empty()) RETURN_IF_ERROR(check_empty_policy(options));
  ASSIGN_OR_RETURN(const GroupBy by, GroupBy::parse_with_app(options.group_by));
  ASSIGN_OR_RETURN(std::vector<Snapshot> snapshots, load_to_judge(options, repository, session));
  session.output().say("Applying Policy: " + policy.description());
  std::vector<JudgedGroup> groups =
      judge_groups(std::move(snapshots), by, policy, wall_clock_now(), TimeZone::local());
  const JudgedGroup* const emptied = policy.empty() ? nullptr : find_emptied(groups);
  if (emptied != nullptr) {
    return session.output().exit_error(
        fmt::format("refusing to delete last snapshot of snapshot group \"{}\"",
                    group_words(emptied->group, by)),
        ExitCode::kFailure);
  }
  std::vector<SnapshotId> ids = removals_of(groups);
  if (!session.output().is_json()) {
    for (JudgedGroup& group : groups) {
      print_judged_group(group, by, options.compact, session.output());
    }
  }
  ASSIGN_OR_RETURN(const std::size_t failed,
                   carry_out(std::move(ids), options, repository, session));
  if (!groups.empty()) session.output().json(json_of_judged(groups, by));
  return verdict(failed, session);
}

Result<ExitCode> run_forget(const ForgetOptions& options, Session& session) {
  RETURN_IF_ERROR(check(options, session));
  const Locking locking = options.dry_run ? Locking::kExclusive : Locking::kExclusiveToWrite;
  ASSIGN_OR_RETURN(Repository* const repository, session.open(locking));
  if (!options.snapshots.empty()) return forget_named(options, *repository, session);
  return forget_by_policy(options, *repository, session);
}

// Pruning is still restic's.
void refuse_prune(CommandSyntax& app) {
  const std::string instead = "Use restic prune: both programs work on the same repository.";
  refuse_option(app, "--prune", Takes::kNothing, instead);
  for (const char* names : {"--max-unused", "--max-repack-size", "--repack-smaller-than"}) {
    refuse_option(app, names, Takes::kValue, instead);
  }
  for (const char* names : {"--repack-cacheable-only", "--repack-small", "--repack-uncompressed"}) {
    refuse_option(app, names, Takes::kNothing, instead);
  }
}

}  // namespace

Run declare_forget(CommandSyntax& app) {
  const auto options = std::make_shared<ForgetOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshots to forget: ids, their beginnings, or latest");
  add_retention_options(app, options->retention);
  add_flag(app, "--unsafe-allow-remove-all", options->may_remove_all,
           "Without a policy, forget all snapshots that --host, --tag or --path choose");
  add_snapshot_options(app, options->filter, HostOption::kLong);
  add_deprecated_list(app, "--hostname", options->filter.hosts, "use --host");
  add_flag(app, "-n,--dry-run", options->dry_run, "Only say what would be forgotten");
  add_flag(app, "-c,--compact", options->compact, "Print less about each snapshot");
  add_group_by_option(app, options->group_by,
                      "Apply the policy to each group: host, paths, tags, app, separated by commas",
                      Grouping::kByAppToo);
  refuse_prune(app);
  return [options](Session& session) { return run_forget(*options, session); };
}

}  // namespace restree
