// Whether a repository went back to an earlier moment, judged by which of its files are gone.
//
// A pure function of values; any thread.
#pragma once

#include <vector>

#include "repo/journal/journal_entry.h"
#include "repo/journal/known_state.h"

namespace restree {

// The changes that nobody here has made. Sorted.
struct ForeignChanges {
  std::vector<JournalId> added;
  std::vector<JournalId> gone;
  std::vector<JournalId> returned;  // of `added`: seen to be gone before
};
ForeignChanges foreign_changes(const KnownFiles& before, const FileChanges& changes);

// True if files that were gone are there again and newer ones are gone, or if snapshots and index
// files are gone that are all newer than all that is left.
bool is_rolled_back(const KnownState& before, const ForeignChanges& snapshots,
                    const ForeignChanges& indexes);

}  // namespace restree
