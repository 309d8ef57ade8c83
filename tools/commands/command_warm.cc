// restree warm
#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "cache/disk_cache.h"
#include "cache/snapshot_warmer.h"
#include "repo/snapshots/app_names.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/output/human.h"
#include "tools/output/ticker.h"

namespace restree {
namespace {

struct WarmCommandOptions {
  std::vector<std::string> names;
  bool pin = false;
  bool unpin = false;
};

// Prints progress, errors and the summary.
class Report {
 public:
  explicit Report(Session& session) : session_(session) {}

  void damage(const std::string& path, const Error& error) {
    session_.output().item_error(
        "warm", path, error, fmt::format("ignoring error for {}: {}", path, error.for_people()));
  }

  void progress(const WarmFigures& figures) {
    if (session_.output().is_json()) return print_json("status", figures);
    session_.io().status(fmt::format("[{}] {}  {} / {} blobs, {} / {}", format_duration(elapsed()),
                                     format_percent(figures.bytes_done, figures.bytes_total),
                                     figures.blobs_done.load(), figures.blobs_total.load(),
                                     format_bytes(figures.bytes_done),
                                     format_bytes(figures.bytes_total)));
  }

  void summary(const Snapshot& snapshot, const WarmFigures& figures, bool is_pinned) {
    session_.io().status("");
    if (session_.output().is_json()) return print_json("summary", figures);
    session_.output().say(fmt::format("{} blobs ({}) of snapshot {} are in the cache{}, after {}",
                                      figures.blobs_total.load(), format_bytes(figures.bytes_total),
                                      snapshot.id.short_hex(), is_pinned ? " and stay there" : "",
                                      format_duration(elapsed())));
  }

 private:
  std::chrono::seconds elapsed() const {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - started_);
  }
  void print_json(std::string_view type, const WarmFigures& figures) {
    JsonWriter json;
    json.begin_object().key("message_type").text(type);
    json.key("seconds_elapsed").number(static_cast<std::uint64_t>(elapsed().count()));
    if (type == "status") {
      const auto total = static_cast<double>(figures.bytes_total);
      json.key("percent_done")
          .real(total > 0 ? static_cast<double>(figures.bytes_done) / total : 0);
    }
    json.key("total_blobs").number(figures.blobs_total);
    json.key("blobs_done").number(figures.blobs_done);
    json.key("total_bytes").number(figures.bytes_total);
    json.key("bytes_done").number(figures.bytes_done);
    json.key("errors").number(figures.errors).end_object();
    session_.output().json(json.json());
  }

  Session& session_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

Status check_words(const WarmCommandOptions& options) {
  const auto invalid = [](const char* message) { return Error(ErrorKind::kInvalid, message); };
  if (options.pin && options.unpin) return invalid("--pin and --unpin are mutually exclusive");
  if (options.names.size() > 1) return invalid("only one APP[:SNAPSHOT] can be given");
  if (options.names.empty() && !options.unpin) {
    return invalid("no app is given: APP, or APP:SNAPSHOT as apps/APP/ of the mount has it");
  }
  return {};
}

Result<DiskCache*> cache_of(Session& session) {
  if (session.cache() != nullptr) return session.cache();
  return Error(ErrorKind::kInvalid, "there is no cache to warm")
      .hinting("A local repository has one only if --cache-dir names a folder for it.");
}

Result<Snapshot> find_snapshot(Session& session, Repository& repository, const std::string& words) {
  ASSIGN_OR_RETURN(const AllSnapshots all, load_all_snapshots(repository, session.patience()));
  for (const UnreadableSnapshot& unreadable : all.unreadable) {
    session.output().warn(fmt::format("could not load snapshot {}: {}", unreadable.id.hex(),
                                      unreadable.error.message()));
  }
  return find_app_snapshot(all.readable, words, std::string(kDefaultTimeTemplate));
}

Result<ExitCode> unpin(const WarmCommandOptions& options, Session& session) {
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kNone));
  ASSIGN_OR_RETURN(DiskCache* const cache, cache_of(session));
  std::vector<SnapshotId> wanted;
  if (options.names.empty()) {
    wanted = cache->pins();
  } else {
    ASSIGN_OR_RETURN(const Snapshot snapshot,
                     find_snapshot(session, *repository, options.names.front()));
    wanted.push_back(snapshot.id);
  }
  std::size_t count = 0;
  for (const SnapshotId& id : wanted) count += cache->unpin(id) ? 1 : 0;
  session.output().say(count == 1 ? "1 snapshot is not pinned any more"
                                  : fmt::format("{} snapshots are not pinned any more", count));
  return ExitCode::kSuccess;
}

Result<ExitCode> run(const WarmCommandOptions& options, Session& session) {
  RETURN_IF_ERROR(check_words(options));
  if (options.unpin) return unpin(options, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  ASSIGN_OR_RETURN(DiskCache* const cache, cache_of(session));
  ASSIGN_OR_RETURN(const Snapshot snapshot,
                   find_snapshot(session, *repository, options.names.front()));
  RETURN_IF_ERROR(repository->refresh_index(session.patience()));
  Report report(session);
  BulkOptions bulk;
  bulk.patience = session.options().patience;
  bulk.stop = session.stop();
  SnapshotWarmer warmer(*repository, *cache, bulk,
                        [&](const auto& path, const Error& error) { report.damage(path, error); });
  {
    const Ticker ticker(session.output().progress_interval(),
                        [&] { report.progress(warmer.figures()); });
    RETURN_IF_ERROR(
        warmer.run(snapshot, options.pin ? SnapshotWarmer::Pin::kYes : SnapshotWarmer::Pin::kNo));
  }
  report.summary(snapshot, warmer.figures(), options.pin);
  if (const std::uint64_t errors = warmer.figures().errors; errors > 0) {
    return Error(ErrorKind::kCorrupt, fmt::format("There were {} errors", errors));
  }
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_warm(CommandSyntax& app) {
  auto options = std::make_shared<WarmCommandOptions>();
  add_arguments(
      app, "app", options->names,
      "APP, whose newest snapshot it is, or APP:SNAPSHOT, as apps/ of the mount names them");
  add_flag(app, "--pin", options->pin, "Keep it in the cache, whatever else is read");
  add_flag(app, "--unpin", options->unpin,
           "Load nothing, and let it go from the cache again; without an app, all that are pinned");
  return [options](Session& session) { return run(*options, session); };
}

}  // namespace restree
