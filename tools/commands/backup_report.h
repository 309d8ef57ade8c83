// Prints the progress, messages and summary of `restree backup`.
//
// Ownership: the output must outlive it.
// Threads:   any; the ticker has one of its own.
// Format:    restic's messages, in text and with --json.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "repo/archiver/archive_events.h"
#include "repo/archiver/scanner.h"
#include "repo/base/guarded.h"
#include "repo/format/snapshot.h"
#include "tools/output/output.h"
#include "tools/output/ticker.h"

namespace restree {

// What the status line of a running backup shows.
struct BackupFigures {
  std::chrono::seconds elapsed{0};
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_per_second = 0;
  std::uint64_t errors = 0;
  std::optional<ScanTotals> totals;          // nullopt: the scan is not done
  std::optional<std::chrono::seconds> left;  // nullopt: not known
};

// In restic's words. Where `columns` are few, share and time left stay, and the errors longest of all
// else.
std::string status_text(const BackupFigures& figures, std::size_t columns);

class BackupReport final : public ArchiveEvents {
 public:
  BackupReport(const Output& output, bool dry_run);
  ~BackupReport() override;

  void on_error(const std::string& path, const Error& error) override;
  void on_number_reused(const std::string& path) override;
  void on_file_begun(std::string_view path) override;
  void on_bytes_read(std::uint64_t count) override;
  void on_saved(const SavedItem& item) override;

  void on_scan_error(const std::string& path, const Error& error);
  // Totals of the scan: those counted so far, and the final ones.
  void on_scanned(const ScanTotals& totals);
  void on_scan_finished(const ScanTotals& totals);

  // Stops showing progress.
  void finish();
  // `snapshot_id`: nullopt if no snapshot was made.
  void summarize(const SnapshotSummary& summary, const std::optional<std::string>& snapshot_id);

  std::uint64_t errors() const { return errors_; }

 private:
  void tell_error(const std::string& path, const Error& error, const char* during);
  void show_progress();
  std::string status_json() const;
  std::string status_line() const;
  std::vector<std::string> current_files() const;
  // Estimate from the totals of the scan; nullopt while these are not known.
  std::optional<std::chrono::seconds> time_left() const EXCLUDES(totals_);
  double seconds() const;

  const Output& output_;
  const bool dry_run_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();

  std::atomic<std::uint64_t> files_done_ = 0;
  std::atomic<std::uint64_t> bytes_done_ = 0;
  std::atomic<std::uint64_t> errors_ = 0;
  Guarded<ScanTotals> totals_;
  std::atomic<bool> totals_known_ = false;
  Guarded<std::multiset<std::string>> current_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace restree
