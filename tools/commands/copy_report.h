// What `copy` prints while it works, in restic's words. restic has no JSON for it: with --json the
// lines are the same.
//
// Ownership: `output` must outlive it. Threads: as CopyListener says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "repo/base/guarded.h"
#include "repo/copier/copy_listener.h"
#include "tools/output/output.h"
#include "tools/output/ticker.h"

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
  // The packs of one snapshot.
  struct Progress {
    std::uint64_t packs = 0;
    std::uint64_t done = 0;
    std::chrono::steady_clock::time_point begun = {};
    std::string line() const;
  };
  void say(std::string_view line) const { output_.say_even_as_json(line); }
  void say_snapshot(const Snapshot& source) const;
  void begin_progress(std::uint64_t packs);
  // Returns the last state.
  Progress end_progress();

  const Output& output_;
  std::string warning_;
  Guarded<Progress> progress_;
  // While the data of a snapshot is copied. The last member, since its thread uses the others.
  std::optional<Ticker> ticker_;
};

}  // namespace restree
