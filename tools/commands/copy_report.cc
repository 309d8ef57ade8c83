#include "tools/commands/copy_report.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>

#include "repo/base/restic_words.h"
#include "tools/commands/node_text.h"
#include "tools/output/human.h"

namespace restree {
namespace {

std::chrono::nanoseconds interval_of(const Output& output) {
  return output.is_json() ? std::chrono::nanoseconds(0) : output.progress_interval();
}

}  // namespace

CopyReport::CopyReport(const Output& output, std::string warning)
    : output_(output), warning_(std::move(warning)) {}

std::string CopyReport::Progress::line() const {
  const auto elapsed =
      std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
  if (packs == 0) return fmt::format("[{}]          0 packs copied", format_duration(elapsed));
  return fmt::format("[{}] {}  {} / {} packs copied", format_duration(elapsed),
                     format_percent(done, packs), done, packs);
}

void CopyReport::say_snapshot(const Snapshot& source) const {
  say("");
  say(fmt::format(restic_words::kSnapshotToCopy.text, source.id.short_hex(),
                  output_.shown(fmt::format("{}", fmt::join(source.paths, " "))),
                  go_time({source.time, source.time_offset_seconds}),
                  output_.shown(source.username), output_.shown(source.hostname)));
}

void CopyReport::same_key(std::size_t snapshots) {
  say(
      fmt::format("both repositories have one master key: whole packs are copied as they are\n"
                  "looking for what {} {}",
                  snapshots, snapshots == 1 ? "snapshot needs" : "snapshots need"));
}

void CopyReport::skipped(const Snapshot& source, const SnapshotId& copy) {
  if (!output_.has_details()) return;
  say_snapshot(source);
  say(fmt::format(restic_words::kAlreadyCopied.text, source.id.short_hex(), copy.short_hex()));
}

void CopyReport::begun(const Snapshot& source) {
  const std::string warning = std::exchange(warning_, {});
  if (!warning.empty()) output_.warn(warning);
  say_snapshot(source);
  say(restic_words::kCopyStarted.text);
}

void CopyReport::planned(const CopyFigures& lacking) {
  if (output_.has_details()) {
    say(fmt::format("  copy {} blobs with disk size {} in {} packfiles", lacking.blobs,
                    format_bytes(lacking.bytes), lacking.packs));
  }
  begin_progress(lacking.packs);
}

void CopyReport::pack_copied() { ++progress_.lock()->done; }

void CopyReport::begin_progress(std::uint64_t packs) {
  *progress_.lock() = {.packs = packs, .done = 0, .begun = std::chrono::steady_clock::now()};
  ticker_.emplace(interval_of(output_), [this] {
    const Progress progress = *progress_.lock();
    output_.io().status(progress.line());
  });
}

CopyReport::Progress CopyReport::end_progress() {
  ticker_.reset();  // first, as a line that it shows afterwards would stay
  output_.io().status("");
  return *progress_.lock();
}

void CopyReport::copied() { say(end_progress().line()); }

void CopyReport::left_out(const Snapshot& source, const Error& why) {
  end_progress();
  output_.warn(
      fmt::format("snapshot {} is not copied: {}", source.id.short_hex(), why.for_people()));
}

void CopyReport::saving(std::size_t count) {
  if (count > 1) say("");
}

void CopyReport::saved(const SnapshotId& source, const SnapshotId& copy) {
  say(fmt::format(restic_words::kSnapshotCopied.text, copy.short_hex(), source.short_hex()));
}

}  // namespace restree
