// What a journal says about a repository at the end of some of its entries.
//
//   KnownState state;
//   for (const JournalEntry& entry : entries) state.apply(entry);
//   const JournalEntry next = changes_since(state, visit);
//
// Pure functions of values; any thread.
// Limits: the gone files that are remembered: kMostGone of each type, the last to go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "repo/journal/journal_entry.h"

namespace restree {

inline constexpr std::size_t kMostGone = 20'000;

struct KnownFiles {
  // Of those that are there, `gone` is kNoTime.
  std::unordered_map<JournalId, FileTimes> present;
  std::unordered_map<JournalId, FileTimes> gone;
  std::int64_t last_listed = kNoTime;
};

struct KnownState {
  bool is_empty = true;  // no visit is known
  std::int64_t last_time = kNoTime;
  std::optional<SeenConfig> config;  // nullopt: not known since a run wrote one
  KnownFiles keys;
  KnownFiles indexes;
  KnownFiles snapshots;
  std::unordered_map<JournalId, SeenSnapshot> details;  // of snapshots present and gone
  std::optional<SeenIndex> index;                       // nullopt: not known since index files went
  std::optional<SeenMissing> missing;
  // A run of ours has begun to remove such files, and has not said which.
  bool is_removing_snapshots = false;
  bool is_removing_indexes = false;

  std::int64_t first_time = kNoTime;
  void apply(const JournalEntry& entry);
  const SeenSnapshot* find(const JournalId& snapshot) const;
};

// The entry for a visit. Of files that the visit has not listed, only what it wrote and removed itself.
JournalEntry changes_since(const KnownState& state, const Visit& visit);

// The files that are there and had been seen by `time`.
struct SeenBy {
  std::vector<JournalId> snapshots;  // without those dated in the future of then
  // With all that this machine has written since: its own prune has replaced others.
  std::vector<JournalId> indexes;
};
SeenBy seen_by(const KnownState& state, std::int64_t time);

// Whether an entry says nothing but that somebody was there.
bool is_bare(const JournalEntry& entry);

// Stands for all entries that have made `state`.
std::vector<JournalEntry> condensed(const KnownState& state);

// A run is about to remove files of such types.
JournalEntry removal_entry(std::int64_t time, bool of_snapshots, bool of_indexes);

}  // namespace restree
