// What is odd about snapshots that a visit sees for the first time.
//
// A pure function of values; any thread.
#pragma once

#include <vector>

#include "repo/journal/finding.h"
#include "repo/journal/known_state.h"

namespace restree {

// Looks at the snapshots of the entry's details. Those that this machine has written are dated as they
// should be; those that replace others are compared with nothing.
std::vector<Finding> odd_snapshots(const KnownState& before, const JournalEntry& entry);

}  // namespace restree
