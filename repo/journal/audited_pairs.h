// Which snapshots an audit compares with the ones before them.
//
// Pure functions of values; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_set>
#include <vector>

#include "repo/format/snapshot.h"
#include "repo/journal/journal_entry.h"

namespace restree {

// Those that were known at the last audit. nullopt: there was none.
std::optional<std::unordered_set<JournalId>> known_at_last_audit(
    const std::vector<JournalEntry>& entries);

struct AuditedPair {
  const Snapshot* before;
  const Snapshot* after;
};

inline constexpr std::size_t kMostAuditedPairs = 100;

// Each snapshot that is not `known`, with the one before it of the same host and paths; the newest first, no
// more than kMostAuditedPairs. Where nothing is known, of each host and its paths the newest alone. Those that
// replace another one, or are copies, are left out: they may be made of other chunks.
std::vector<AuditedPair> pairs_to_audit(const std::vector<Snapshot>& snapshots,
                                        const std::optional<std::unordered_set<JournalId>>& known);

}  // namespace restree
