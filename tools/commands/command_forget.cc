// restree forget
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "repo/snapshots/snapshot_changes.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct ForgetOptions {
  std::vector<std::string> snapshots;
  SnapshotOptions filter;
  bool dry_run = false;
  // Options for policies, accepted without effect: snapshots are named here.
  bool compact = false;
  std::string group_by;
};

Status check(const ForgetOptions& options, const Session& session) {
  if (options.snapshots.empty()) {
    return Error(ErrorKind::kInvalid, "no policy was specified, no snapshots will be removed")
        .hinting("Name the snapshots to forget; restree has no policies yet.");
  }
  if (session.options().no_lock && !options.dry_run) {
    return Error(ErrorKind::kInvalid,
                 "--no-lock is only applicable in combination with --dry-run for forget command");
  }
  return {};
}

// The ids to remove, sorted.
Result<std::vector<SnapshotId>> chosen(const ForgetOptions& options, Repository& repository,
                                       Session& session) {
  ASSIGN_OR_RETURN(const std::vector<Snapshot> snapshots,
                   select_snapshots(repository, options.snapshots, options.filter.filter(),
                                    session.patience(), say_ignored(session)));
  std::vector<SnapshotId> ids;
  ids.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) ids.push_back(snapshot.id);
  std::sort(ids.begin(), ids.end());
  return ids;
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
  return remove_snapshots(
      repository, ids,
      {.patience = session.options().patience, .stop = session.stop(), .on_done = say});
}

Result<ExitCode> run_forget(const ForgetOptions& options, Session& session) {
  RETURN_IF_ERROR(check(options, session));
  const Locking locking = options.dry_run ? Locking::kExclusive : Locking::kExclusiveToWrite;
  ASSIGN_OR_RETURN(Repository* const repository, session.open(locking));
  ASSIGN_OR_RETURN(const std::vector<SnapshotId> ids, chosen(options, *repository, session));
  if (ids.empty()) return ExitCode::kSuccess;
  if (options.dry_run) {
    say_what_would_go(ids, session);
    return ExitCode::kSuccess;
  }
  const auto begun = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(const std::size_t failed, remove(ids, *repository, session));
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  session.output().say(fmt::format("[{}] {}  {} / {} files deleted", format_duration(elapsed),
                                   format_percent(ids.size() - failed, ids.size()),
                                   ids.size() - failed, ids.size()));
  if (failed == 0) return ExitCode::kSuccess;
  return session.output().exit_error("failed to remove one or more snapshots",
                                     ExitCode::kIncomplete);
}

void refuse_policies(CommandSyntax& app) {
  const std::string instead =
      "Name the snapshots to forget, or let restic apply policies: both programs work on the same "
      "repository.";
  for (const char* names :
       {"-l,--keep-last", "-H,--keep-hourly", "-d,--keep-daily", "-w,--keep-weekly",
        "-m,--keep-monthly", "-y,--keep-yearly", "--keep-within", "--keep-within-hourly",
        "--keep-within-daily", "--keep-within-weekly", "--keep-within-monthly",
        "--keep-within-yearly", "--keep-tag"}) {
    refuse_option(app, names, Takes::kValue, instead);
  }
  refuse_option(app, "--unsafe-allow-remove-all", Takes::kNothing, instead);
  const std::string prune = "Use restic prune: both programs work on the same repository.";
  refuse_option(app, "--prune", Takes::kNothing, prune);
  for (const char* names : {"--max-unused", "--max-repack-size", "--repack-smaller-than"}) {
    refuse_option(app, names, Takes::kValue, prune);
  }
  for (const char* names : {"--repack-cacheable-only", "--repack-small", "--repack-uncompressed"}) {
    refuse_option(app, names, Takes::kNothing, prune);
  }
}

}  // namespace

Run declare_forget(CommandSyntax& app) {
  const auto options = std::make_shared<ForgetOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshots to forget: ids, their beginnings, or latest");
  add_snapshot_options(app, options->filter, HostOption::kLong);
  add_deprecated_list(app, "--hostname", options->filter.hosts, "use --host");
  add_flag(app, "-n,--dry-run", options->dry_run, "Only say what would be forgotten");
  add_flag(app, "-c,--compact", options->compact, "Print less about each snapshot");
  add_group_by_option(app, options->group_by, "Has no effect on snapshots that are named");
  refuse_policies(app);
  return [options](Session& session) { return run_forget(*options, session); };
}

}  // namespace restree
