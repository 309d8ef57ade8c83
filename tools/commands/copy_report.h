// What `copy` prints while it works, in restic's words. restic has no JSON for it: with --json the
// lines are the same.
//
// Ownership: `output` must outlive it. Threads: as CopyListener says.
#pragma once

#include <string>
#include <string_view>

#include "repo/copier/copy_listener.h"
#include "tools/commands/counted_progress.h"
#include "tools/output/output.h"

namespace restree {

class CopyReport final : public CopyListener {
 public:
  // `warning`: printed before anything is copied, if anything is; may be empty.
  CopyReport(const Output& output, std::string warning);

  void same_key(std::size_t snapshots) override;
  void skipped(const Snapshot& source, const SnapshotId& copy) override;
  void begun(const Snapshot& source) override;
  void planned(const CopyFigures& lacking) override;
  void pack_copied() override;
  void copied() override;
  void left_out(const Snapshot& source, const Error& why) override;
  void saving(std::size_t count) override;
  void saved(const SnapshotId& source, const SnapshotId& copy) override;

 private:
  void say(std::string_view line) const { output_.say_even_as_json(line); }
  void say_snapshot(const Snapshot& source) const;

  const Output& output_;
  std::string warning_;
  CountedProgress progress_;  // with the packs of a snapshot
};

}  // namespace restree
