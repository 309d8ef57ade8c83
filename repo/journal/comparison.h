// What has changed in a repository between two visits, as findings.
//
// A pure function of values; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_set>
#include <vector>

#include "repo/journal/finding.h"
#include "repo/journal/journal_entry.h"
#include "repo/journal/known_state.h"

namespace restree {

// Which of these snapshots a policy would have removed by then. Empty: no policy was given.
using WouldForget = std::function<std::unordered_set<JournalId>(
    const std::vector<SeenSnapshot>& snapshots, std::int64_t now)>;

// `before`: what was known before `entry`, which is a visit. Of an entry of another kind: none.
std::vector<Finding> compare(const KnownState& before, const JournalEntry& entry,
                             const WouldForget& would_forget = {});

// What all visits have found since the last one that was accepted, the oldest first. A date in the
// future that has passed by the last visit is a remark.
std::vector<Finding> findings_of(const std::vector<JournalEntry>& entries,
                                 const WouldForget& would_forget = {});

}  // namespace restree
