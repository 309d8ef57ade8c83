// restree forget
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/identity.h"
#include "repo/retention/judged_groups.h"
#include "repo/retention/removal_guard.h"
#include "repo/snapshots/snapshot_changes.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/forget_report.h"
#include "tools/commands/forget_undo.h"
#include "tools/commands/node_text.h"
#include "tools/commands/pruning.h"
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
  bool explain = false;
  bool undo = false;
  bool prune = false;
  PruneCommandOptions pruning;
  std::optional<double> most_removed;  // percent; nullopt: as usual
  bool is_called_restic = false;
};

Status check(const ForgetOptions& options, const Session& session) {
  RETURN_IF_ERROR(options.retention.policy().check());
  RETURN_IF_ERROR(prune_rules(options.pruning, session.options().compression));
  if (options.undo && (!options.retention.policy().empty() || options.filter.is_given())) {
    return Error(ErrorKind::kInvalid,
                 "--undo takes ids of snapshots, and neither rules nor filters");
  }
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
Result<std::size_t> carry_out(const std::vector<SnapshotId>& ids, const ForgetOptions& options,
                              Repository& repository, const Session& session) {
  if (ids.empty()) return 0;
  if (!options.dry_run) {
    keep_for_undo(ids, repository, session);
    return remove(ids, repository, session);
  }
  say_what_would_go(ids, session);
  return 0;
}

// What follows once the snapshots are gone, or would be: the verdict, and pruning if that is wanted.
Result<ExitCode> finish(const std::vector<SnapshotId>& ids, std::size_t failed,
                        const ForgetOptions& options, Session& session) {
  if (failed > 0) {
    return session.output().exit_error(
        "failed to remove one or more snapshots\n"
        "They are still in the repository; run the command again once the reason given for each is "
        "gone.",
        ExitCode::kIncomplete);
  }
  if (!options.prune || ids.empty()) return ExitCode::kSuccess;
  session.output().say(fmt::format("{} snapshots {}", ids.size(),
                                   options.dry_run ? "would be removed, running prune dry run"
                                                   : "have been removed, running prune"));
  PruneCommandOptions pruning = options.pruning;
  pruning.dry_run = options.dry_run;
  pruning.prints_json = false;
  return prune(session, pruning, {ids.begin(), ids.end()});
}

Result<ExitCode> forget_named(const ForgetOptions& options, Repository& repository,
                              Session& session) {
  bool is_any_unreadable = false;
  const auto note_ignored = [&](const std::string& word, const Error& why) {
    say_ignored(session)(word, why);
    is_any_unreadable = is_any_unreadable || why.kind() == ErrorKind::kCorrupt ||
                        why.kind() == ErrorKind::kUnsupported;
  };
  ASSIGN_OR_RETURN(const std::vector<Snapshot> snapshots,
                   select_snapshots(repository, options.snapshots, options.filter.filter(),
                                    session.patience(), note_ignored));
  std::vector<SnapshotId> ids;
  ids.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) ids.push_back(snapshot.id);
  std::sort(ids.begin(), ids.end());
  ASSIGN_OR_RETURN(const std::size_t failed, carry_out(ids, options, repository, session));
  if (failed == 0 && is_any_unreadable) {
    return session.output().exit_error(
        "snapshots that cannot be read were not removed\n"
        "restree repair snapshots --forget removes them, if it is given their ids.",
        ExitCode::kFailure);
  }
  return finish(ids, failed, options, session);
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
        .hinting("restree check says more about it; restree repair snapshots --forget " +
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
  std::sort(ids.begin(), ids.end());
  return ids;
}

// The share of a group, in percent, of which this run may remove no more. Whoever allows to remove all
// has said so by name, and scripts that were written for restic run as they are.
double most_removed(const ForgetOptions& options, const RetentionPolicy& policy) {
  if (options.most_removed) return *options.most_removed;
  return policy.empty() || options.is_called_restic ? kAnyShare : kUsualMostRemoved;
}

// A run that removes too much of a group is an error, a dry run says that it would be one.
Status guard(const std::vector<JudgedGroup>& groups, GroupBy by, double most_percent,
             const ForgetOptions& options, const Session& session) {
  const JudgedGroup* const losing = find_group_losing_most(groups, most_percent);
  if (losing == nullptr) return {};
  const std::string name = group_words(losing->group, by);
  const std::string what = fmt::format(
      "would remove {} of the {} snapshots{}, more than --max-remove {:g}% allows",
      losing->removals(), losing->judged.size(), name.empty() ? "" : " of " + name, most_percent);
  const std::string lifting = "--max-remove 100%";
  if (options.dry_run) {
    session.output().note(fmt::format("Warning: this {}: a real run needs {}", what, lifting));
    return {};
  }
  return Error(ErrorKind::kInvalid, fmt::format("this {}: no snapshot was removed", what))
      .hinting(
          fmt::format("See what goes, and why, with --dry-run --explain. If that is meant, run "
                      "it again with {}.",
                      lifting));
}

void warn_of_odd_groups(const std::vector<JudgedGroup>& groups, Timestamp now,
                        const Output& output) {
  if (const auto future = snapshots_of_the_future(groups, now); !future.empty()) {
    output.note(fmt::format(
        "Warning: {} of the snapshots are dated in the future, up to {} ({}): rules that count "
        "give "
        "them the places of others. If the date is wrong, forget them by their ids.",
        future.size(), local_time(future.front()->time), future.front()->id.short_hex()));
  }
  if (const auto lonely = find_lonely_groups(groups)) {
    output.note(fmt::format(
        "Warning: {} of {} groups hold one snapshot only, which no policy ever removes.{}",
        lonely->lonely, lonely->all,
        lonely->better ? fmt::format(" --group-by {} makes larger groups.", *lonely->better) : ""));
  }
}

void print_groups(std::vector<JudgedGroup>& groups, GroupBy by, const ForgetOptions& options,
                  const Judging& judging, const Output& output) {
  if (output.is_json()) return;
  for (JudgedGroup& group : groups) {
    if (options.explain) {
      print_explanation(group, by, judging, output);
    } else {
      print_judged_group(group, by, options.compact, output);
    }
  }
}

Result<ExitCode> forget_by_policy(const ForgetOptions& options, Repository& repository,
                                  Session& session) {
  const RetentionPolicy policy = options.retention.policy();
  if (policy.empty()) RETURN_IF_ERROR(check_empty_policy(options));
  ASSIGN_OR_RETURN(const GroupBy by, GroupBy::parse_with_app(options.group_by));
  ASSIGN_OR_RETURN(std::vector<Snapshot> snapshots, load_to_judge(options, repository, session));
  session.output().say("Applying Policy: " + policy.description());
  const Judging judging{policy, wall_clock_now(), TimeZone::local()};
  std::vector<JudgedGroup> groups =
      judge_groups(std::move(snapshots), by, policy, judging.now, judging.zone);
  const JudgedGroup* const emptied = policy.empty() ? nullptr : find_emptied(groups);
  if (emptied != nullptr) {
    return session.output().exit_error(
        fmt::format("refusing to delete last snapshot of snapshot group \"{}\"",
                    group_words(emptied->group, by)),
        ExitCode::kFailure);
  }
  warn_of_odd_groups(groups, judging.now, session.output());
  print_groups(groups, by, options, judging, session.output());
  RETURN_IF_ERROR(guard(groups, by, most_removed(options, policy), options, session));
  const std::vector<SnapshotId> ids = removals_of(groups);
  ASSIGN_OR_RETURN(const std::size_t failed, carry_out(ids, options, repository, session));
  if (!groups.empty()) {
    session.output().json(json_of_judged(groups, by, options.explain ? &judging : nullptr));
  }
  return finish(ids, failed, options, session);
}

Result<ExitCode> run_forget(const ForgetOptions& options, Session& session) {
  RETURN_IF_ERROR(check(options, session));
  if (options.undo) return undo_forget(options.snapshots, options.dry_run, session);
  const Locking locking = options.dry_run ? Locking::kExclusive : Locking::kExclusiveToWrite;
  ASSIGN_OR_RETURN(Repository* const repository, session.open(locking));
  if (!options.snapshots.empty()) return forget_named(options, *repository, session);
  return forget_by_policy(options, *repository, session);
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
  add_flag(app, "--explain", options->explain,
           "For each snapshot print its buckets, the rules that keep it, and when it will go");
  const auto set_most_removed = [&most = options->most_removed](const std::string& text) -> Status {
    ASSIGN_OR_RETURN(most, parse_most_removed(text));
    return {};
  };
  add_value(app, "--max-remove", "SHARE", set_most_removed,
            "Stop before a policy removes more than this share of a group (default: 50%)");
  add_flag(
      app, "--undo", options->undo,
      "Put back the snapshots that the last forget on this machine has removed, or those named");
  add_flag(app, "--prune", options->prune, "Then remove what no snapshot needs any more");
  add_prune_options(app, options->pruning);
  options->is_called_restic = app.program_name() == "restic";
  return [options](Session& session) { return run_forget(*options, session); };
}

}  // namespace restree
