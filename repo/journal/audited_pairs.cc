#include "repo/journal/audited_pairs.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace restree {

std::optional<std::unordered_set<JournalId>> known_at_last_audit(
    const std::vector<JournalEntry>& entries) {
  const auto is_audit = [](const JournalEntry& entry) {
    return entry.kind == EntryKind::kFrom ||
           (entry.kind == EntryKind::kVisit && entry.command == "audit");
  };
  const auto last = std::find_if(entries.rbegin(), entries.rend(), is_audit);
  if (last == entries.rend()) return std::nullopt;
  std::unordered_set<JournalId> known;
  for (auto entry = entries.begin(); entry != last.base(); ++entry) {
    known.insert(entry->snapshots.added.begin(), entry->snapshots.added.end());
  }
  return known;
}

std::vector<AuditedPair> pairs_to_audit(const std::vector<Snapshot>& snapshots,
                                        const std::optional<std::unordered_set<JournalId>>& known) {
  using Source = std::pair<std::string, std::vector<std::string>>;
  std::map<Source, std::vector<const Snapshot*>> by_source;
  for (const Snapshot& one : snapshots) {
    if (one.original) continue;
    std::vector<std::string> paths = one.paths;
    std::ranges::sort(paths);
    by_source[{one.hostname, std::move(paths)}].push_back(&one);
  }
  std::vector<AuditedPair> pairs;
  for (auto& [source, of_source] : by_source) {
    std::ranges::sort(of_source, {}, &Snapshot::time);
    for (std::size_t i = of_source.size(); i-- > 1;) {
      const bool is_newest = i + 1 == of_source.size();
      if (known ? known->contains({of_source[i]->id.bytes}) : !is_newest) continue;
      pairs.push_back({of_source[i - 1], of_source[i]});
    }
  }
  std::ranges::stable_sort(pairs, [](const AuditedPair& a, const AuditedPair& b) {
    return b.after->time < a.after->time;
  });
  if (pairs.size() > kMostAuditedPairs) pairs.resize(kMostAuditedPairs);
  return pairs;
}

}  // namespace restree
