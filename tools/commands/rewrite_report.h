// What `rewrite` and `repair snapshots` print while they work, in restic's words. restic has no JSON
// for them: with --json the lines are the same.
//
// Ownership: `output` must outlive it. Threads: one calls.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "repo/rewriter/snapshot_rewriter.h"
#include "tools/commands/counted_progress.h"
#include "tools/output/output.h"

namespace restree {

// What is said of a node, in restic's words; `type`: of one with an invalid type.
std::string remark_line(NodeRemark remark, const std::string& path, const std::string& type);

class RewriteReport final : public RewriteListener {
 public:
  RewriteReport(const Output& output, const RewriteOptions& options);

  void beginning(std::size_t snapshots) override;
  void looked_at() override;
  void begun(const Snapshot& snapshot) override;
  void remark(NodeRemark remark, const std::string& path, const std::string& type) override;
  void ended(const Snapshot& snapshot, const SnapshotFate& fate) override;
  void saved(const SnapshotId& successor) override;
  void removed(const Snapshot& snapshot, const SnapshotFate& fate) override;

  // The last line.
  void summarize(std::size_t changed);

 private:
  void say(std::string_view line) const { output_.say_even_as_json(line); }
  void say_edit() const;

  const Output& output_;
  const SnapshotEdit edit_;
  const bool forget_;
  const bool dry_run_;
  CountedProgress progress_;
};

}  // namespace restree
