// The findings of a check, and the listener that receives them as text.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

// Threads: any, one at a time.
class CheckListener {
 public:
  virtual ~CheckListener() = default;
  // Reports damage. `text` may have several lines.
  virtual void error(const std::string& text) = 0;
  // Reports something that is not damage but could be better.
  virtual void hint(const std::string& text) = 0;
  // Reports a detail that most users do not need.
  virtual void detail(const std::string& text) = 0;
};

struct CheckFindings {
  std::uint64_t errors = 0;
  std::set<PackId> broken_packs;  // damaged, but not missing
  // Those, of the ones that are there, in which a tree cannot be read.
  std::set<PackId> packs_of_unreadable_trees;
  std::uint64_t missing_packs = 0;
  std::uint64_t misplaced_blobs = 0;  // whole, but elsewhere in their packs than the index says
  std::set<SnapshotId> broken_snapshots;
  std::uint64_t unchecked = 0;  // asked for, but not found; no damage
  std::uint64_t unindexed_packs = 0;
  std::uint64_t damaged_index_files = 0;
  bool duplicate_packs = false;
  bool mixed_packs = false;
  bool index_damaged = false;
  bool damaged = false;

  bool suggests_prune() const { return mixed_packs || unindexed_packs > 0; }
  bool suggests_repair_index() const { return duplicate_packs || index_damaged; }
};

}  // namespace restree
