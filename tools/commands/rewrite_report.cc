#include "tools/commands/rewrite_report.h"

#include <fmt/core.h>

#include "repo/base/restic_words.h"
#include "repo/text/go_quote.h"
#include "tools/commands/node_text.h"
#include "tools/commands/snapshot_line.h"

namespace restree {
namespace {

using Kind = SnapshotFate::Kind;

std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  append_go_quoted(text, quoted);
  return quoted += '"';
}

// One that is as expected, and is asked for with --verbose twice.
bool is_of_items(NodeRemark remark) {
  return remark == NodeRemark::kExcluded || remark == NodeRemark::kIncluded ||
         remark == NodeRemark::kIncludedFolder;
}

}  // namespace

std::string remark_line(NodeRemark remark, const std::string& path, const std::string& type) {
  const std::string name = quoted(path);
  switch (remark) {
    case NodeRemark::kNone:
      break;
    case NodeRemark::kExcluded:
      return "excluding " + name;
    case NodeRemark::kIncluded:
      return "including " + name;
    case NodeRemark::kIncludedFolder:
      return "including directory " + name;
    case NodeRemark::kContentCut:
      return fmt::format("  file {}: removed missing content", name);
    case NodeRemark::kSizeFixed:
      return fmt::format("  file {}: fixed incorrect size", name);
    case NodeRemark::kInvalidType:
      return fmt::format("  file {}: removed node with invalid type {}", name, quoted(type));
    case NodeRemark::kInvalidName:
      return fmt::format("  file {}: removed node with invalid name", name);
    case NodeRemark::kFolderEmptied:
      return fmt::format("  dir {}: replaced with empty directory", name);
    case NodeRemark::kRootNotReadable:
      return fmt::format("  dir {}: not readable", name);
  }
  return {};
}

RewriteReport::RewriteReport(const Output& output, const RewriteOptions& options)
    : output_(output),
      edit_(options.edit),
      forget_(options.forget),
      dry_run_(options.dry_run),
      progress_(output, "snapshots") {}

void RewriteReport::beginning(std::size_t snapshots) { progress_.begin(snapshots); }

void RewriteReport::looked_at() { progress_.count(); }

void RewriteReport::begun(const Snapshot& snapshot) {
  say("");
  say(snapshot_line(snapshot, output_));
}

void RewriteReport::remark(NodeRemark remark, const std::string& path, const std::string& type) {
  if (is_of_items(remark) && !output_.has_items()) return;
  say(remark_line(remark, path, type));
}

void RewriteReport::ended(const Snapshot& /*snapshot*/, const SnapshotFate& fate) {
  if (fate.kind == Kind::kGoes && dry_run_) say("would delete empty snapshot");
  if (fate.kind != Kind::kBecomes) return;
  if (!dry_run_) return say_edit();
  say(restic_words::kWouldSave.text);
  if (forget_) say(restic_words::kWouldRemove.text);
  if (edit_.time) say(fmt::format(restic_words::kWouldSetTime.text, go_time(*edit_.time)));
  if (!edit_.host.empty()) say(fmt::format(restic_words::kWouldSetHost.text, edit_.host));
}

void RewriteReport::say_edit() const {
  if (edit_.time) say("setting time to " + go_time(*edit_.time));
  if (!edit_.host.empty()) say("setting host to " + edit_.host);
}

void RewriteReport::saved(const SnapshotId& successor) {
  say(fmt::format(restic_words::kSnapshotSaved.text, successor.short_hex()));
}

void RewriteReport::removed(const Snapshot& snapshot, const SnapshotFate& fate) {
  const std::string_view what = fate.kind == Kind::kGoes ? "empty" : "old";
  say(fmt::format("removed {} snapshot {}", what, snapshot.id.short_hex()));
}

void RewriteReport::summarize(std::size_t changed) {
  progress_.end();
  say("");
  if (changed == 0) {
    return say(dry_run_ ? restic_words::kWouldModifyNone.text : restic_words::kNoneModified.text);
  }
  say(dry_run_ ? fmt::format(restic_words::kWouldModify.text, changed)
               : fmt::format("modified {} snapshots", changed));
}

}  // namespace restree
