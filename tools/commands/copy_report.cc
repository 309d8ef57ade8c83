#include "tools/commands/copy_report.h"

#include <fmt/core.h>

#include <utility>

#include "repo/base/restic_words.h"
#include "tools/commands/snapshot_line.h"
#include "tools/output/human.h"

namespace restree {

CopyReport::CopyReport(const Output& output, std::string warning)
    : output_(output), warning_(std::move(warning)), progress_(output, "packs copied") {}

void CopyReport::say_snapshot(const Snapshot& source) const {
  say("");
  say(snapshot_line(source, output_));
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
  progress_.begin(lacking.packs);
}

void CopyReport::pack_copied() { progress_.count(); }

void CopyReport::copied() { say(progress_.end()); }

void CopyReport::left_out(const Snapshot& source, const Error& why) {
  progress_.end();
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
