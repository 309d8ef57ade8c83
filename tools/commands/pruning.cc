#include "tools/commands/pruning.h"

#include <fmt/core.h>

#include <utility>

#include "repo/base/log.h"
#include "repo/pruner/pruner.h"
#include "tools/commands/prune_report.h"
#include "tools/commands/writer_options.h"

namespace restree {
namespace {

PruneOptions pruner_options(const PruneCommandOptions& options, const PruneRules& rules,
                            const Session& session) {
  PruneOptions pruning;
  pruning.rules = rules;
  pruning.removes_young = options.exclusive;
  pruning.removes_first = !options.recover_id.empty();
  pruning.writer = writer_options(session, {});
  pruning.bulk.patience = session.options().patience;
  pruning.bulk.stop = session.stop();
  return pruning;
}

// What can only be checked once the repository is open.
Status check(const PruneCommandOptions& options, const PruneOptions& pruning,
             const Repository& repository) {
  const Config& config = repository.config();
  if (!options.recover_id.empty() && options.recover_id != config.id.hex()) {
    return Error(ErrorKind::kInvalid, fmt::format("must pass id '{}' to "
                                                  "--unsafe-recover-no-free-space",
                                                  config.id.hex()));
  }
  if (options.repack_uncompressed && config.version < 2) {
    return Error(ErrorKind::kInvalid, "compression requires at least repository format version 2");
  }
  if (pruning.rules.small_pack_bytes.value_or(0) > pruning.writer.pack_bytes) {
    return Error(ErrorKind::kInvalid, "repack-smaller-than exceeds repository packsize")
        .hinting("--pack-size sets a larger one.");
  }
  return {};
}

Status make_plan(Pruner& pruner, PruneReport& report, const Session& session,
                 const std::set<SnapshotId>& ignored) {
  const Output& output = session.output();
  output.say("loading all snapshots...");
  ASSIGN_OR_RETURN(const std::size_t snapshots, pruner.load_snapshots(ignored));
  RETURN_IF_ERROR(pruner.load_index());
  output.say(fmt::format("finding data that is still in use for {} snapshots", snapshots));
  report.begin_counting("trees", 0, [&] { return pruner.trees(); });
  const Status marked = pruner.mark_used();
  if (!marked) {
    report.stop_counting();
    return marked;
  }
  report.end_counting(pruner.trees());
  output.say("searching used packs...");
  output.say("collecting packs for deletion and repacking");
  return pruner.make_plan();
}

Locking locking_for(const PruneCommandOptions& options) {
  if (options.dry_run) return Locking::kShared;
  const bool is_alone = options.exclusive || !options.recover_id.empty();
  return is_alone ? Locking::kExclusiveToWrite : Locking::kSharedToWrite;
}

// Others may have been at work until the exclusive lock is there, so what is removed is decided then.
Status lock_and_look_again(Pruner& pruner, Session& session) {
  Status locked = session.lock_exclusively();
  if (!locked && locked.error().kind() == ErrorKind::kLocked) {
    return std::move(locked).error().hinting(
        "Nothing was removed, and what was copied is not copied again by the next prune. "
        "--retry-lock waits for others.");
  }
  RETURN_IF_ERROR(locked);
  return pruner.look_again();
}

Status execute(Pruner& pruner, PruneReport& report, Session& session) {
  RETURN_IF_ERROR(pruner.copy(report));
  const bool has_to_remove = pruner.plan().changes_index() || !pruner.plan().unindexed.empty();
  if (has_to_remove && !session.has_exclusive_lock()) {
    RETURN_IF_ERROR(lock_and_look_again(pruner, session));
  }
  return pruner.remove(report);
}

}  // namespace

Result<ExitCode> prune(Session& session, const PruneCommandOptions& options,
                       const std::set<SnapshotId>& ignored) {
  ASSIGN_OR_RETURN(PruneRules rules, prune_rules(options, session.options().compression));
  if (session.options().no_lock && !options.dry_run) {
    return Error(ErrorKind::kInvalid,
                 "--no-lock is only applicable in combination with --dry-run for prune command");
  }
  ASSIGN_OR_RETURN(Repository* const repository, session.open(locking_for(options)));
  rules.format_version = repository->config().version;
  const PruneOptions pruning = pruner_options(options, rules, session);
  RETURN_IF_ERROR(check(options, pruning, *repository));

  PruneReport report(session.output(), options.prints_json);
  {
    Pruner pruner(*repository, pruning);
    RETURN_IF_ERROR(make_plan(pruner, report, session, ignored));
    report.show_statistics(pruner.plan(), pruner.index(), options.dry_run);
    if (options.dry_run) return ExitCode::kSuccess;
    report.count_by([&] { return pruner.done(); });
    const Status done = execute(pruner, report, session);
    report.stop_counting();
    RETURN_IF_ERROR(done);
  }
  if (session.cache() != nullptr) {
    // What the cache has of removed packs goes, and the merged index is that of the new files.
    const Result<bool> refreshed = repository->refresh_index(session.patience());
    if (!refreshed) {
      log::info("the cache is not brought up to date: {}", refreshed.error().message());
    }
  }
  session.output().say("done");
  return ExitCode::kSuccess;
}

}  // namespace restree
