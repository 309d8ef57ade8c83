#include "tools/commands/backup_report.h"

#include <fmt/core.h>

#include <utility>

#include "repo/base/log.h"
#include "repo/text/go_quote.h"
#include "repo/text/json_writer.h"
#include "tools/output/columns.h"
#include "tools/output/human.h"

namespace restree {
namespace {

// The status line shows at most this many of the files being read, as restic does.
constexpr std::size_t kMostCurrentFiles = 8;

const char* action_of(ItemChange change) {
  switch (change) {
    case ItemChange::kNew:
      return "new";
    case ItemChange::kModified:
      return "modified";
    case ItemChange::kUnmodified:
      break;
  }
  return "unchanged";
}

double in_seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

std::chrono::nanoseconds duration_of(const SnapshotSummary& summary) {
  const Timestamp& begin = summary.backup_start.time;
  const Timestamp& end = summary.backup_end.time;
  return std::chrono::seconds(end.seconds - begin.seconds) +
         std::chrono::nanoseconds(std::int64_t{end.nanoseconds} - begin.nanoseconds);
}

std::string verbose_json(const char* action, const std::string& path, double duration,
                         const AddedSizes& data, const AddedSizes& metadata, std::uint64_t files) {
  JsonWriter json;
  json.begin_object().key("message_type").text("verbose_status").key("action").text(action);
  json.key("item").text(path).key("duration").real(duration);
  json.key("data_size").number(data.raw_bytes);
  json.key("data_size_in_repo").number(data.stored_bytes);
  json.key("metadata_size").number(metadata.raw_bytes);
  json.key("metadata_size_in_repo").number(metadata.stored_bytes);
  json.key("total_files").number(files).end_object();
  return json.json();
}

std::string verbose_line(const SavedItem& item, const std::string& path, double duration) {
  const std::string shown = quoted_if_odd(path);
  if (item.change == ItemChange::kUnmodified) return "unchanged " + shown;
  const char* action = item.change == ItemChange::kNew ? "new      " : "modified ";
  if (item.type == NodeType::kDirectory) {
    return fmt::format("{} {}, saved in {:.3f}s ({} added, {} stored, {} metadata)", action, shown,
                       duration, format_bytes(item.data.raw_bytes),
                       format_bytes(item.data.stored_bytes),
                       format_bytes(item.metadata.stored_bytes));
  }
  return fmt::format("{} {}, saved in {:.3f}s ({} added, {} stored)", action, shown, duration,
                     format_bytes(item.data.raw_bytes), format_bytes(item.data.stored_bytes));
}

}  // namespace

BackupReport::BackupReport(const Output& output, bool dry_run)
    : output_(output),
      dry_run_(dry_run),
      ticker_(std::make_unique<Ticker>(output.progress_interval(), [this] { show_progress(); })) {}

BackupReport::~BackupReport() { finish(); }

void BackupReport::finish() {
  ticker_.reset();
  output_.io().status("");
}

double BackupReport::seconds() const {
  return in_seconds(std::chrono::steady_clock::now() - begun_);
}

std::string status_text(const BackupFigures& figures, std::size_t columns) {
  const std::string bytes = format_bytes(figures.bytes);
  std::vector<StatusPart> parts{{fmt::format("[{}]", format_duration(figures.elapsed)), 0}};
  if (const auto& totals = figures.totals) {
    parts.push_back({" " + format_percent(figures.bytes, totals->bytes), 0});
    parts.push_back({fmt::format("  {} files {}", figures.files, bytes), 2});
    parts.push_back(
        {fmt::format(", total {} files {}", totals->files, format_bytes(totals->bytes)), 3});
  } else {
    parts.push_back({fmt::format(" {} files, {}", figures.files, bytes), 0});
  }
  parts.push_back({fmt::format(", {}/s", format_bytes(figures.bytes_per_second)), 4});
  if (figures.errors > 0) parts.push_back({fmt::format(", {} errors", figures.errors), 1});
  if (figures.left) parts.push_back({" ETA " + format_duration(*figures.left), 0});
  return fitted(parts, columns);
}

// --- events -------------------------------------------------------------------------------------

void BackupReport::tell_error(const std::string& path, const Error& error, const char* during) {
  ++errors_;
  output_.item_error(during, path, error, "error: " + error.for_people());
}

void BackupReport::on_error(const std::string& path, const Error& error) {
  tell_error(path, error, "archival");
}

void BackupReport::on_scan_error(const std::string& path, const Error& error) {
  tell_error(path, error, "scan");
}

// Not an error: all that the file holds is saved. restic's JSON has no message for it.
void BackupReport::on_number_reused(const std::string& path) {
  output_.note(
      fmt::format("warning: {} has the inode number of a file with other content that was saved "
                  "before; both are kept, but not as hard links",
                  log::quoted(path)));
}

void BackupReport::on_file_begun(std::string_view path) { current_.lock()->emplace(path); }

void BackupReport::on_bytes_read(std::uint64_t count) { bytes_done_ += count; }

void BackupReport::on_saved(const SavedItem& item) {
  if (item.type == NodeType::kFile) {
    ++files_done_;
    auto current = current_.lock();
    const auto found = current->find(std::string(item.path));
    if (found != current->end()) current->erase(found);
  }
  // As in restic, JSON has these messages at a lower verbosity than text, and both have them only
  // for files and folders.
  if (output_.is_json() ? !output_.has_details() : !output_.has_items()) return;
  const bool is_folder = item.type == NodeType::kDirectory;
  if (!is_folder && item.type != NodeType::kFile) return;
  const std::string path = std::string(item.path) + (is_folder ? "/" : "");
  // For an unchanged item the duration means nothing.
  const double duration = item.change == ItemChange::kUnmodified ? 0 : in_seconds(item.duration);
  if (output_.is_json()) {
    output_.json(verbose_json(action_of(item.change), path, duration, item.data, item.metadata, 0));
  } else {
    output_.item(verbose_line(item, path, duration));
  }
}

void BackupReport::on_scanned(const ScanTotals& totals) { *totals_.lock() = totals; }

void BackupReport::on_scan_finished(const ScanTotals& totals) {
  on_scanned(totals);
  totals_known_ = true;
  if (!output_.has_details()) return;
  AddedSizes data;
  data.raw_bytes = totals.bytes;
  output_.json(verbose_json("scan_finished", "", seconds(), data, {}, totals.files));
  output_.detail(fmt::format("scan finished in {:.3f}s: {} files, {}", seconds(), totals.files,
                             format_bytes(totals.bytes)));
}

// --- progress -----------------------------------------------------------------------------------

std::vector<std::string> BackupReport::current_files() const {
  const auto current = current_.lock();
  std::vector<std::string> files;
  for (const std::string& file : *current) {
    if (files.size() == kMostCurrentFiles) break;
    files.push_back(file);
  }
  return files;
}

std::optional<std::chrono::seconds> BackupReport::time_left() const {
  const ScanTotals totals = *totals_.lock();
  const std::uint64_t done = bytes_done_;
  if (!totals_known_ || done == 0 || done >= totals.bytes) return std::nullopt;
  const double left =
      seconds() * static_cast<double>(totals.bytes - done) / static_cast<double>(done);
  return std::chrono::seconds(static_cast<std::int64_t>(left));
}

void BackupReport::show_progress() {
  if (output_.is_json()) {
    output_.json(status_json());
  } else {
    output_.io().status(status_line());
  }
}

std::string BackupReport::status_json() const {
  const ScanTotals totals = *totals_.lock();
  const auto optional_number = [](JsonWriter& json, const char* key, std::uint64_t value) {
    if (value != 0) json.key(key).number(value);
  };
  const auto left = time_left();
  const std::uint64_t bytes = bytes_done_;
  JsonWriter json;
  json.begin_object().key("message_type").text("status");
  optional_number(json, "seconds_elapsed", static_cast<std::uint64_t>(seconds()));
  if (left) optional_number(json, "seconds_remaining", static_cast<std::uint64_t>(left->count()));
  const double share =
      totals.bytes == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(totals.bytes);
  json.key("percent_done").real(std::min(share, 1.0));
  optional_number(json, "total_files", totals.files);
  optional_number(json, "files_done", files_done_);
  optional_number(json, "total_bytes", totals.bytes);
  optional_number(json, "bytes_done", bytes);
  optional_number(json, "error_count", errors_);
  const auto current = current_files();
  if (!current.empty()) {
    json.key("current_files").begin_array();
    for (const std::string& file : current) json.text(file);
    json.end_array();
  }
  return json.end_object().json();
}

std::string BackupReport::status_line() const {
  const double elapsed = seconds();
  BackupFigures figures;
  figures.elapsed = std::chrono::seconds(static_cast<std::int64_t>(elapsed));
  figures.files = files_done_;
  figures.bytes = bytes_done_;
  figures.errors = errors_;
  figures.left = time_left();
  if (totals_known_) figures.totals = *totals_.lock();
  if (elapsed > 0) {
    figures.bytes_per_second =
        static_cast<std::uint64_t>(static_cast<double>(figures.bytes) / elapsed);
  }
  std::string line = status_text(figures, status_columns(output_.io()));
  for (const std::string& file : current_files()) line += "  " + quoted_if_odd(file);
  return line;
}

// --- the end ------------------------------------------------------------------------------------

void BackupReport::summarize(const SnapshotSummary& summary,
                             const std::optional<std::string>& snapshot_id) {
  finish();
  if (output_.is_json()) {
    JsonWriter json;
    json.begin_object().key("message_type").text("summary");
    json.key("files_new").number(summary.files_new);
    json.key("files_changed").number(summary.files_changed);
    json.key("files_unmodified").number(summary.files_unmodified);
    json.key("dirs_new").number(summary.dirs_new);
    json.key("dirs_changed").number(summary.dirs_changed);
    json.key("dirs_unmodified").number(summary.dirs_unmodified);
    json.key("data_blobs").number(summary.data_blobs);
    json.key("tree_blobs").number(summary.tree_blobs);
    json.key("data_added").number(summary.data_added);
    json.key("data_added_packed").number(summary.data_added_packed);
    json.key("total_files_processed").number(summary.total_files_processed);
    json.key("total_bytes_processed").number(summary.total_bytes_processed);
    json.key("total_duration").real(in_seconds(duration_of(summary)));
    json.key("backup_start").text(format_zoned_timestamp(summary.backup_start));
    json.key("backup_end").text(format_zoned_timestamp(summary.backup_end));
    if (snapshot_id) json.key("snapshot_id").text(*snapshot_id);
    if (dry_run_) json.key("dry_run").boolean(true);
    output_.json(json.end_object().json());
    return;
  }
  output_.say("");
  output_.say(fmt::format("Files:       {:5} new, {:5} changed, {:5} unmodified", summary.files_new,
                          summary.files_changed, summary.files_unmodified));
  output_.say(fmt::format("Dirs:        {:5} new, {:5} changed, {:5} unmodified", summary.dirs_new,
                          summary.dirs_changed, summary.dirs_unmodified));
  output_.detail(fmt::format("Data Blobs:  {:5} new", summary.data_blobs));
  output_.detail(fmt::format("Tree Blobs:  {:5} new", summary.tree_blobs));
  output_.say(fmt::format("{} to the repository: {:<5} ({:<5} stored)",
                          dry_run_ ? "Would add" : "Added", format_bytes(summary.data_added),
                          format_bytes(summary.data_added_packed)));
  output_.say("");
  output_.say(
      fmt::format("processed {} files, {} in {}", summary.total_files_processed,
                  format_bytes(summary.total_bytes_processed),
                  format_duration(std::chrono::floor<std::chrono::seconds>(duration_of(summary)))));
  if (dry_run_) return;
  output_.say(snapshot_id ? fmt::format("snapshot {} saved", snapshot_id->substr(0, 8))
                          : "skipped creating snapshot");
}

}  // namespace restree
