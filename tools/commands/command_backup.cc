// restree backup
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "program/command_line/go_values.h"
#include "program/named_option.h"
#include "repo/archiver/files_from.h"
#include "repo/archiver/scanner.h"
#include "repo/archiver/selection.h"
#include "repo/archiver/stream_archiver.h"
#include "repo/archiver/targets.h"
#include "repo/base/log.h"
#include "repo/base/restic_words.h"
#include "repo/crypto/sha256.h"
#include "repo/identity.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/system/environment.h"
#include "tools/cli/features.h"
#include "tools/commands/backup_leftovers.h"
#include "tools/commands/backup_options.h"
#include "tools/commands/backup_report.h"
#include "tools/commands/backup_source.h"
#include "tools/commands/commands.h"
#include "tools/commands/snapshot_time.h"
#include "tools/commands/writer_options.h"

namespace restree {
namespace {

// What to do according to options, environment and clock, settled before the repository is opened.
struct Plan {
  std::vector<std::string> targets;
  std::vector<std::string> paths;  // the snapshot's
  bool is_incomplete = false;      // some targets do not exist
  std::string host;
  std::vector<std::string> tags;
  ZonedTimestamp begun;
  ZonedTimestamp time;
  std::string working_folder;
};

Result<ZonedTimestamp> snapshot_time(const BackupOptions& options, const ZonedTimestamp& now) {
  if (options.time.empty()) return now;
  return parse_snapshot_time(options.time);
}

Result<Plan> make_plan(const BackupOptions& options, Session& session) {
  Plan plan;
  plan.begun = in_zone(wall_clock_now(), TimeZone::local());
  ASSIGN_OR_RETURN(plan.time, snapshot_time(options, plan.begun));
  plan.host = options.host;
  if (plan.host.empty()) plan.host = environment_variable("RESTIC_HOST");
  if (plan.host.empty()) plan.host = host_name();
  plan.tags = tags_of(options.tags);
  std::error_code failed;
  plan.working_folder = std::filesystem::current_path(failed).string();
  if (is_stream(options)) {
    ASSIGN_OR_RETURN(plan.paths, stream_paths(options));
    return plan;
  }
  ASSIGN_OR_RETURN(plan.targets, find_targets(options, session, plan.is_incomplete));
  plan.paths = snapshot_paths(plan.targets, plan.working_folder);
  return plan;
}

Result<std::optional<Snapshot>> find_parent(const BackupOptions& options, const Plan& plan,
                                            Session& session, Repository& repository) {
  if (options.force || options.from_stdin) return std::nullopt;
  ASSIGN_OR_RETURN(const GroupBy by, GroupBy::parse(options.group_by));
  SnapshotFilter filter;
  if (by.host) filter.hosts = {plan.host};
  if (by.paths && !options.stdin_from_command) filter.paths = plan.paths;
  if (by.tags) filter.tag_lists = {plan.tags};
  const bool is_named = !options.parent.empty();
  if (is_named && options.parent != "latest") {
    ASSIGN_OR_RETURN(auto selected,
                     select_snapshot(repository, options.parent, filter, session.patience()));
    return std::move(selected.snapshot);
  }
  ASSIGN_OR_RETURN(std::optional<Snapshot> latest,
                   find_latest(repository, filter, plan.time.time, session.patience()));
  if (is_named && !latest) {
    return Error(ErrorKind::kInvalid,
                 fmt::format(restic_words::kNoSnapshotFound.text, filter.description()));
  }
  return latest;
}

Result<std::size_t> read_concurrency(const BackupOptions& options) {
  std::uint64_t wanted = options.read_concurrency;
  if (const std::string text = environment_variable("RESTIC_READ_CONCURRENCY");
      wanted == 0 && !text.empty()) {
    const Result<std::uint64_t> number = parse_go_uint(text);
    if (!number) return bad_variable("RESTIC_READ_CONCURRENCY", text, number.error().message());
    wanted = *number;
  }
  constexpr std::uint64_t kDefault = 2;
  constexpr std::uint64_t kMost = 64;
  return std::min(wanted == 0 ? kDefault : wanted, kMost);
}

RepositoryWriter::Options backup_writer(const BackupOptions& options, const Session& session,
                                        std::vector<PackId> lost_packs) {
  RepositoryWriter::Options writer = writer_options(session, std::move(lost_packs));
  writer.dry_run = options.dry_run;
  return writer;
}

// Counts the files to back up in a thread of its own.
class BackgroundScan {
 public:
  BackgroundScan(const TargetNode& targets, const SourceFilter& filter, BackupReport& report)
      : thread_([&](const std::stop_token& stop) {
          const ScanEvents events{[&](const std::string& path, const Error& error) {
                                    report.on_scan_error(path, error);
                                  },
                                  [&](const ScanTotals& totals) { report.on_scanned(totals); }};
          const ScanTotals totals = scan(targets, filter, events, stop);
          if (!stop.stop_requested()) report.on_scan_finished(totals);
        }) {}

  // Waits until all is counted, unless `stop` is requested. The destructor ends the scan at once.
  void wait(const std::stop_token& stop) {
    const std::stop_callback interrupt(
        stop, [scan = thread_.get_stop_source()]() mutable { scan.request_stop(); });
    thread_.join();
  }

 private:
  std::jthread thread_;
};

Snapshot make_snapshot(const BackupOptions& options, const Plan& plan,
                       const std::optional<Snapshot>& parent, const BlobId& tree) {
  Snapshot snapshot;
  snapshot.time = plan.time.time;
  snapshot.time_offset_seconds = plan.time.offset_seconds;
  snapshot.tree = tree;
  if (parent) snapshot.parent = parent->id;
  snapshot.paths = plan.paths;
  snapshot.hostname = plan.host;
  snapshot.username = user_name();
  snapshot.uid = ::getuid();
  snapshot.gid = ::getgid();
  snapshot.excludes = options.exclude;
  snapshot.tags = plan.tags;
  snapshot.program_version = "restree " RESTREE_VERSION;
  return snapshot;
}

SnapshotSummary summarize(const Plan& plan, const ArchiveResult& result,
                          const RepositoryWriter::Figures& added) {
  SnapshotSummary summary;
  summary.backup_start = plan.begun;
  summary.backup_end = in_zone(wall_clock_now(), TimeZone::local());
  summary.files_new = result.files.created;
  summary.files_changed = result.files.changed;
  summary.files_unmodified = result.files.unmodified;
  summary.dirs_new = result.folders.created;
  summary.dirs_changed = result.folders.changed;
  summary.dirs_unmodified = result.folders.unmodified;
  summary.data_blobs = added.data_blobs;
  summary.tree_blobs = added.tree_blobs;
  summary.data_added = added.raw_bytes;
  summary.data_added_packed = added.stored_bytes;
  summary.total_files_processed =
      result.files.created + result.files.changed + result.files.unmodified;
  summary.total_bytes_processed = result.bytes;
  return summary;
}

Error interrupted(const Status& kept) {
  if (!kept) {
    return {ErrorKind::kCancelled,
            "interrupted; the stored data could not be indexed: " + kept.error().message()};
  }
  return Error(ErrorKind::kCancelled, "interrupted")
      .hinting("Data already uploaded will be reused by the next backup.");
}

// A backup, from the opened repository to the stored snapshot.
class Backup {
 public:
  Backup(const BackupOptions& options, const Plan& plan, Session& session, Repository& repository,
         std::vector<PackId> lost_packs)
      : options_(options),
        plan_(plan),
        session_(session),
        repository_(repository),
        report_(session.output(), options.dry_run),
        writer_(repository, backup_writer(options, session, std::move(lost_packs)),
                session.stop()) {}

  Result<ExitCode> run() {
    ASSIGN_OR_RETURN(const auto parent, find_parent(options_, plan_, session_, repository_));
    tell_parent(parent);
    auto result = archive_source(parent);
    Status flushed;
    if (result) flushed = writer_.flush();
    if (!result || !flushed) {
      // Index the packs stored so far, so that the next backup need not store them again.
      const Status kept = options_.dry_run ? Status() : writer_.finish_early();
      if (session_.stop().stop_requested()) return interrupted(kept);
      return result ? std::move(flushed).error() : std::move(result).error();
    }
    return save_snapshot(parent, *result);
  }

 private:
  void tell_parent(const std::optional<Snapshot>& parent) {
    if (parent) {
      session_.output().say(fmt::format(restic_words::kUsingParent.text, parent->id.short_hex()));
    } else if (!options_.from_stdin) {
      session_.output().say(restic_words::kNoParent.text);
    }
    // It is loaded by then; the line stands where restic has it.
    session_.output().detail(restic_words::kLoadIndex.text);
  }

  // `sources`: what is saved, as the user named it.
  void tell_begin(const std::vector<std::string>& sources) {
    const Output& output = session_.output();
    std::string list = fmt::format("{}", fmt::join(sources, " "));
    list = output.shown(list);
    if (!options_.no_scan) output.detail(fmt::format(restic_words::kStartScan.text, list));
    output.detail(fmt::format(restic_words::kStartBackup.text, list));
  }

  Result<ArchiveResult> archive_source(const std::optional<Snapshot>& parent) {
    ASSIGN_OR_RETURN(const Chunker chunker, Chunker::make(repository_.config().chunker_polynomial));
    ASSIGN_OR_RETURN(const Selection selection, make_selection(options_, plan_.paths, session_));
    ArchiveOptions how;
    how.change_detection = {options_.ignore_ctime, options_.ignore_inode};
    how.with_atime = options_.with_atime;
    how.device_for_links_only = is_feature_of_environment_on(kDeviceIdForHardlinks);
    ASSIGN_OR_RETURN(how.workers, read_concurrency(options_));
    // One less, since the thread that reads a large file also saves chunks when the others are
    // busy.
    how.chunk_threads = std::max(2U, std::thread::hardware_concurrency()) - 1;
    const ArchiveParts parts{writer_, repository_, chunker, selection, report_};
    if (is_stream(options_)) {
      session_.output().detail(restic_words::kReadInput.text);
      tell_begin(plan_.paths);
      return archive_from_stream(options_, parts, how, plan_.time.time, session_.stop());
    }

    const FolderLister lister(selection, plan_.working_folder);
    ASSIGN_OR_RETURN(const TargetNode targets,
                     plan_targets(plan_.targets, plan_.working_folder, lister));
    tell_begin(plan_.targets);
    std::optional<BackgroundScan> scan;
    const bool is_watched =
        session_.output().progress_interval().count() != 0 || session_.output().has_details();
    if (!options_.no_scan && is_watched) scan.emplace(targets, selection, report_);
    auto result = archive(parts, how, targets, parent ? std::optional(parent->tree) : std::nullopt,
                          session_.stop());
    // The end of the scan is reported at this verbosity, even if the backup was quicker.
    if (result && scan && session_.output().has_details()) scan->wait(session_.stop());
    return result;
  }

  Result<ExitCode> save_snapshot(const std::optional<Snapshot>& parent,
                                 const ArchiveResult& result) {
    Snapshot snapshot = make_snapshot(options_, plan_, parent, result.tree);
    snapshot.summary = summarize(plan_, result, writer_.figures());
    std::optional<std::string> id;
    const bool is_same = parent && parent->tree == result.tree;
    if (!options_.skip_if_unchanged || !is_same) {
      ASSIGN_OR_RETURN(id, store(snapshot));
    }
    report_.summarize(*snapshot.summary, id);
    if (report_.errors() == 0 && !plan_.is_incomplete) return ExitCode::kSuccess;
    return incomplete();
  }

  ExitCode incomplete() {
    return session_.output().exit_error(restic_words::kIncomplete.text, ExitCode::kIncomplete);
  }

  Result<std::string> store(const Snapshot& snapshot) {
    const std::string json = write_snapshot(snapshot);
    // A dry run stores nothing, but scripts expect an id.
    if (options_.dry_run) return to_hex(sha256(as_bytes(json)));
    return repository_.save_unpacked(FileType::kSnapshot, as_bytes(json), session_.patience());
  }

  const BackupOptions& options_;
  const Plan& plan_;
  Session& session_;
  Repository& repository_;
  BackupReport report_;
  RepositoryWriter writer_;
};

Result<ExitCode> run_backup(const BackupOptions& options, Session& session) {
  RETURN_IF_ERROR(check_sources(options));
  if (reads_input(options)) session.keep_input_for_data();
  ASSIGN_OR_RETURN(const Plan plan, make_plan(options, session));
  const Locking locking = options.dry_run ? Locking::kNone : Locking::kSharedToWrite;
  session.output().detail(restic_words::kOpenRepository.text);
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(locking));
  ASSIGN_OR_RETURN(
      std::vector<PackId> lost_packs,
      look_at_leftovers(session, *repository,
                        options.verify_parent ? Looking::kAlways : Looking::kWhereCheap));
  const TemporaryFilesRemoval removal(session, *repository);
  return Backup(options, plan, session, *repository, std::move(lost_packs)).run();
}

}  // namespace

Run declare_backup(CommandSyntax& app) {
  auto options = std::make_shared<BackupOptions>();
  add_backup_options(app, *options);
  return [options](Session& session) { return run_backup(*options, session); };
}

}  // namespace restree
