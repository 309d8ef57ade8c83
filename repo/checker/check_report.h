// What a check finds, and whom it tells.
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
  // What is damaged. `text` may have several lines.
  virtual void error(const std::string& text) = 0;
  // What is no damage, but could be better.
  virtual void hint(const std::string& text) = 0;
  // What only few want to know.
  virtual void detail(const std::string& text) = 0;
};

struct CheckFindings {
  std::uint64_t errors = 0;
  std::set<PackId> broken_packs;  // that are there
  std::uint64_t missing_packs = 0;
  std::set<SnapshotId> broken_snapshots;
  std::uint64_t unindexed_packs = 0;
  bool duplicate_packs = false;
  bool mixed_packs = false;
  bool index_damaged = false;
  bool damaged = false;

  bool suggests_prune() const { return mixed_packs || unindexed_packs > 0; }
  bool suggests_repair_index() const { return duplicate_packs || index_damaged; }
};

}  // namespace restree
