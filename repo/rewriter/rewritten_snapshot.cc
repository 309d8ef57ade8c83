#include "repo/rewriter/rewritten_snapshot.h"

#include <algorithm>

namespace restree {
namespace {

bool says(const std::optional<SnapshotSummary>& summary, const RewrittenTree& tree) {
  return summary && summary->total_files_processed == tree.files &&
         summary->total_bytes_processed == tree.bytes;
}

void add_tag(Snapshot& snapshot, const std::string& tag) {
  if (tag.empty() || std::ranges::find(snapshot.tags, tag) != snapshot.tags.end()) return;
  snapshot.tags.push_back(tag);
}

// Go's zero time, which restic leaves in a summary that it begins.
constexpr ZonedTimestamp kNoTime{.time = {.seconds = -62135596800}};

void count(Snapshot& snapshot, const RewrittenTree& tree) {
  if (!snapshot.summary) {
    snapshot.summary.emplace();
    snapshot.summary->backup_start = kNoTime;
    snapshot.summary->backup_end = kNoTime;
  }
  snapshot.summary->total_files_processed = tree.files;
  snapshot.summary->total_bytes_processed = tree.bytes;
}

}  // namespace

SnapshotFate fate_of(const Snapshot& before, const std::optional<RewrittenTree>& tree,
                     const SnapshotEdit& edit) {
  using Kind = SnapshotFate::Kind;
  if (tree && !tree->id) return {edit.remove_emptied ? Kind::kGoes : Kind::kStays};
  const bool has_new_tree = tree && *tree->id != before.tree;
  const bool has_new_counts = tree && edit.count_content && !says(before.summary, *tree);
  if (!has_new_tree && !has_new_counts && !edit.changes_fields()) return {};
  SnapshotFate fate{Kind::kBecomes, before};
  Snapshot& after = fate.successor;
  after.id = {};
  after.original = before.id;
  if (tree) after.tree = *tree->id;
  if (tree && edit.count_content) count(after, *tree);
  if (edit.time) {
    after.time = edit.time->time;
    after.time_offset_seconds = edit.time->offset_seconds;
  }
  if (!edit.host.empty()) after.hostname = edit.host;
  add_tag(after, edit.tag);
  return fate;
}

}  // namespace restree
