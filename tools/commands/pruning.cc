#include "tools/commands/pruning.h"

#include <fmt/core.h>

#include <chrono>
#include <optional>
#include <utility>

#include "cache/disk_cache.h"
#include "program/process.h"
#include "repo/base/log.h"
#include "repo/pruner/pruner.h"
#include "repo/pruner/pruning_in_rounds.h"
#include "tools/commands/prune_report.h"
#include "tools/commands/writer_options.h"
#include "tools/output/human.h"

namespace restree {
namespace {

Result<PruneOptions> pruner_options(const PruneCommandOptions& options, const Session& session) {
  PruneOptions pruning;
  ASSIGN_OR_RETURN(pruning.rules, prune_rules(options, session.options().compression));
  ASSIGN_OR_RETURN(pruning.keep_free_bytes, keep_free_bytes(options));
  pruning.removes_young = options.exclusive;
  pruning.removes_first = !options.recover_id.empty();
  pruning.writer = writer_options(session, {});
  // A prune that is killed is likely to be long: what it has copied is not copied again.
  pruning.writer.index_wait = std::chrono::seconds(15);
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
  if (pruner.known_before() > 0) {
    output.detail(fmt::format("what {} of the snapshots use is known from an earlier run",
                              pruner.known_before()));
  }
  output.say("searching used packs...");
  output.say("collecting packs for deletion and repacking");
  return pruner.make_plan();
}

Locking locking_for(const PruneCommandOptions& options) {
  if (options.dry_run) return Locking::kShared;
  const bool is_alone = options.exclusive || !options.recover_id.empty();
  return is_alone ? Locking::kExclusiveToWrite : Locking::kSharedToWrite;
}

// Others may be at work until the exclusive lock is there, so what is removed is decided then.
Status exclude_others(Session& session) {
  Status locked = session.lock_exclusively();
  if (locked || locked.error().kind() != ErrorKind::kLocked) return locked;
  return std::move(locked).error().hinting(
      "Nothing was removed since others came, and what was copied is not copied again by the next "
      "prune. --retry-lock waits for others.");
}

// Nobody else may write packs, so one with a temporary name belongs to a write that was cut off,
// however young it is.
void remove_cut_off_packs(Repository& repository, const Session& session) {
  const auto removed = repository.storage().remove_leftovers(
      {.before = std::chrono::system_clock::now(), .only_packs = true}, session.patience());
  if (!removed) log::info("leftovers of interrupted writes stay: {}", removed.error().message());
}

// `young_bytes`: in packs that no index names, perhaps of runs that were killed.
Error too_little_space(const PruneRound& left, std::uint64_t keep_free_bytes,
                       std::uint64_t young_bytes, bool is_alone) {
  std::string hint = fmt::format(
      "What nothing uses was removed. To go on, {} have to be free, {} of which stay free; "
      "--keep-free sets that.",
      format_bytes(left.least_bytes + keep_free_bytes), format_bytes(keep_free_bytes));
  if (young_bytes > 0) {
    hint += fmt::format(
        " Or --exclusive gives back the {} in packs that no index names, which a run that was "
        "killed leaves.",
        format_bytes(young_bytes));
  } else if (!is_alone) {
    hint += " Or --exclusive gives back what writes that were cut off a short while ago have left.";
  }
  return Error(ErrorKind::kLocalIo,
               fmt::format("{} packs are not repacked: there is too little free space",
                           left.packs_left))
      .hinting(std::move(hint));
}

Status execute_in_rounds(Pruner& pruner, PruneReport& report, Session& session,
                         const PruneOptions& pruning) {
  const bool stays_alone = session.has_exclusive_lock();
  const PruneLocking locking{
      .share = [&] { return stays_alone ? Status() : session.lock_shared(); },
      .exclude = [&] { return stays_alone ? Status() : exclude_others(session); }};
  const std::uint64_t young_bytes = pruner.plan().statistics.young_bytes;
  ASSIGN_OR_RETURN(const PruneRound last,
                   prune_in_rounds(pruner, locking, report, [&](const PruneRound& round) {
                     report.begin_round(pruner.plan(), round);
                   }));
  if (last.packs_left > 0) {
    return too_little_space(last, pruning.keep_free_bytes, young_bytes, stays_alone);
  }
  return {};
}

Status execute(Pruner& pruner, PruneReport& report, Session& session, const PruneOptions& pruning,
               std::optional<std::uint64_t> room) {
  if (room && pruner.bytes_to_store() > *room) {
    return execute_in_rounds(pruner, report, session, pruning);
  }
  RETURN_IF_ERROR(pruner.copy(report));
  const bool has_to_remove = pruner.plan().changes_index() || !pruner.plan().unindexed.empty();
  if (has_to_remove && !session.has_exclusive_lock()) {
    RETURN_IF_ERROR(exclude_others(session));
    RETURN_IF_ERROR(pruner.look_again());
  }
  return pruner.remove(report);
}

}  // namespace

Result<ExitCode> prune(Session& session, const PruneCommandOptions& options,
                       const std::set<SnapshotId>& ignored) {
  ASSIGN_OR_RETURN(PruneOptions pruning, pruner_options(options, session));
  if (session.options().no_lock && !options.dry_run) {
    return Error(ErrorKind::kInvalid,
                 "--no-lock is only applicable in combination with --dry-run for prune command");
  }
  give_large_blocks_back();
  ASSIGN_OR_RETURN(Repository* const repository, session.open(locking_for(options)));
  pruning.rules.format_version = repository->config().version;
  if (DiskCache* const cache = session.cache()) {
    pruning.read_marks = [cache] { return cache->read_marks(); };
    pruning.keep_marks = [cache](ByteView sealed) { cache->keep_marks(sealed); };
  }
  RETURN_IF_ERROR(check(options, pruning, *repository));
  if (session.has_exclusive_lock() && !options.dry_run) remove_cut_off_packs(*repository, session);

  PruneReport report(session.output(), options.prints_json);
  {
    Pruner pruner(*repository, pruning);
    RETURN_IF_ERROR(make_plan(pruner, report, session, ignored));
    report.show_statistics(pruner.plan(), pruner.index(), options.dry_run);
    ASSIGN_OR_RETURN(const auto room, pruner.room());
    if (room) report.show_need(pruner.bytes_to_store(), *room, pruning.keep_free_bytes);
    if (options.dry_run) return ExitCode::kSuccess;
    report.count_by([&] { return pruner.done(); });
    const Status done = execute(pruner, report, session, pruning, room);
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
