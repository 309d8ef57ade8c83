// What a comparison of two visits has found, and what it may mean: once innocently, once not.
//
// Values and pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "repo/journal/visit.h"

namespace restree {

enum class FindingKind : std::uint8_t {
  kVanishedSnapshots,      // and nobody here has removed them
  kVanishedNewest,         // the same, and with them the newest of a host and its paths
  kVanishedDespitePolicy,  // the same, though the policy that was given keeps them
  kExplainedByPolicy,      // gone, and the policy that was given would have removed them
  kCutOffRemoval,          // gone, and a run of ours was killed while it removed
  kRewritten,              // replaced by snapshots that say so, with other content
  kReturned,               // seen to be gone, and there again
  kRolledBack,          // the repository is as it was at an earlier moment, or goes on from there
  kIndexVanished,       // index files are gone and none came instead
  kIndexRewritten,      // index files are gone and others came: by another machine
  kIndexShrank,         // the same index files name fewer blobs than before
  kMissingPacks,        // that the index names
  kUnreadableFiles,     // snapshots and index files
  kUnindexedSnapshots,  // the root of a snapshot is in no index
  kFutureSnapshot,
  kPastSnapshot,   // it came after a visit and is dated before it
  kEmptySource,    // a snapshot without files, where the one before it had some
  kFewerFiles,     // less than half of those of the one before it
  kMostlyChanged,  // most files are new or changed, unlike before
  kSilentChanges,  // files with another content, and the same size and time as in the one before
  kNewKey,
  kVanishedKey,
  kUpgradedConfig,  // of another version of the format
  kReplacedConfig,
  kAnotherRepository,  // at the same address
  kClockWentBack,      // of this machine
};

// A remark needs nobody's look. A warning mostly has an innocent reason; an alarm mostly has none.
enum class Weight : std::uint8_t { kRemark, kWarning, kAlarm };

struct Finding {
  FindingKind kind;
  Weight weight;
  std::int64_t after = 0;                // the visit before; kNoTime: there was none
  std::int64_t seen = 0;                 // the visit that has seen it
  std::vector<JournalId> files = {};     // snapshots, index files or keys
  std::vector<SeenSnapshot> about = {};  // what is known of these snapshots
  std::uint64_t count = 0;               // of what has no names here
};

// "vanished-snapshots": for programs.
std::string_view name_of(FindingKind kind);

// In plain words, for people.
struct Readings {
  std::string_view innocent;
  std::string_view guilty;
  std::string_view next;  // what to run, or do
};
Readings readings_of(FindingKind kind);

// One line: "3 snapshots are gone that nobody here has removed".
std::string headline_of(const Finding& finding);

}  // namespace restree
