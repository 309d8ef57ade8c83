// Which repairs a damaged repository needs, in which order: a decision about values.
//
// The index comes first, for it says where everything lies: before it is right, nobody can say what is
// lost. Then what is whole in damaged packs is stored again, and missing blobs are brought back from
// a second repository. Snapshots come last, for what is cut out of them then is lost for good.
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "repo/format/id.h"

namespace restree {

// What an examination has found.
struct RepairFacts {
  std::uint64_t damaged_index_files = 0;  // they cannot be read
  std::uint64_t missing_packs = 0;        // an index names them
  std::uint64_t unindexed_packs = 0;      // no index names them
  // Packs that are whole, but not what the index says.
  std::set<PackId> misindexed_packs = {};
  std::set<PackId> damaged_packs = {};  // in their content, or cut off
  std::uint64_t lost_blobs = 0;         // that are needed, and can be read from no place
  std::set<SnapshotId> unreadable_snapshots = {};
  bool has_second = false;  // there is a second repository to ask

  bool is_index_wrong() const { return damaged_index_files > 0 || !misindexed_packs.empty(); }
  // Whether what can be read from no place now is lost, as far as this repository goes. Otherwise
  // an index that is wrong, or that lacks packs, may only hide it.
  bool are_losses_certain() const {
    return !is_index_wrong() && (lost_blobs == 0 || unindexed_packs == 0);
  }
};

enum class RepairStep : std::uint8_t {
  kIndex,          // make the index agree with the packs
  kPacks,          // save what is whole in packs, and remove them
  kRetrieval,      // bring missing blobs back from the second repository
  kSnapshotFiles,  // remove snapshot files that cannot be read
  kSnapshots,      // leave out of snapshots what is lost
};

struct PlannedStep {
  RepairStep step;
  std::string why;                    // a sentence for people
  std::vector<std::string> ids = {};  // of the packs or snapshots that it is about
  bool reads_all_packs = false;  // of kIndex: else it may believe the index files that are wrong
  // Whether it may turn out to be needless once the steps before it are done.
  bool is_conditional = false;

  bool operator==(const PlannedStep&) const = default;
};

// In the order in which they are to be done; empty: there is nothing to repair.
std::vector<PlannedStep> plan_repair(const RepairFacts& facts);

// "index", "packs", "retrieval", "snapshot_files", "snapshots"
std::string_view name_of(RepairStep step);

// The words after `restree` that do this step alone. `second`: those that name the second repository,
// such as "--from-repo /srv/other".
std::string command_for(const PlannedStep& step, const std::string& second);

}  // namespace restree
