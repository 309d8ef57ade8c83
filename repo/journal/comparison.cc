#include "repo/journal/comparison.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "repo/journal/new_snapshots.h"
#include "repo/journal/roll_back.h"

namespace restree {
namespace {

using Ids = std::unordered_set<JournalId>;

// Why a snapshot is gone, as far as that can be told.
enum class Fate {
  kUnexplained,
  kNewest,
  kDespitePolicy,
  kByPolicy,
  kCutOff,
  kSameContent,
  kRewritten
};

class Comparison {
 public:
  Comparison(const KnownState& before, const JournalEntry& entry, const WouldForget& would_forget)
      : before_(before),
        entry_(entry),
        would_forget_(would_forget),
        keys_(foreign_changes(before.keys, entry.keys)),
        indexes_(foreign_changes(before.indexes, entry.indexes)),
        snapshots_(foreign_changes(before.snapshots, entry.snapshots)) {}

  std::vector<Finding> find() {
    look_at_config();
    if (!before_.is_empty && is_rolled_back(before_, snapshots_, indexes_)) {
      add_snapshots(FindingKind::kRolledBack, Weight::kAlarm, snapshots_.gone);
    } else if (!before_.is_empty) {
      look_at_gone_snapshots();
      if (!snapshots_.returned.empty()) {
        add_snapshots(FindingKind::kReturned, Weight::kWarning, snapshots_.returned);
      }
      look_at_indexes();
    }
    look_at_keys();
    look_at_missing();
    for (Finding& odd : odd_snapshots(before_, entry_)) findings_.push_back(std::move(odd));
    return std::move(findings_);
  }

 private:
  Finding& add(FindingKind kind, Weight weight) {
    return findings_.emplace_back(Finding{kind, weight, before_.last_time, entry_.time});
  }

  void add_files(FindingKind kind, Weight weight, const std::vector<JournalId>& files) {
    if (!files.empty()) add(kind, weight).files = files;
  }

  void add_snapshots(FindingKind kind, Weight weight, const std::vector<JournalId>& ids) {
    Finding& finding = add(kind, weight);
    finding.files = ids;
    for (const JournalId& id : ids) {
      if (const SeenSnapshot* const one = find(id)) finding.about.push_back(*one);
    }
  }

  const SeenSnapshot* find(const JournalId& id) const {
    if (const SeenSnapshot* const known = before_.find(id)) return known;
    const auto found = std::ranges::find(entry_.details, id, &SeenSnapshot::id);
    return found == entry_.details.end() ? nullptr : &*found;
  }

  void look_at_config() {
    if (entry_.earlier_here) add(FindingKind::kAnotherRepository, Weight::kAlarm);
    if (!entry_.config || !before_.config || entry_.wrote_config) return;
    if (entry_.config->version > before_.config->version) {
      add(FindingKind::kUpgradedConfig, Weight::kWarning);
    } else {
      add(FindingKind::kReplacedConfig, Weight::kAlarm);
    }
  }

  // All snapshots that are there after the visit and of which something is known.
  std::vector<const SeenSnapshot*> present() const {
    const Ids gone(entry_.snapshots.gone.begin(), entry_.snapshots.gone.end());
    std::vector<const SeenSnapshot*> all;
    for (const auto& [id, times] : before_.snapshots.present) {
      const SeenSnapshot* const one = gone.contains(id) ? nullptr : find(id);
      if (one != nullptr) all.push_back(one);
    }
    for (const SeenSnapshot& one : entry_.details) {
      if (!before_.snapshots.present.contains(one.id)) all.push_back(&one);
    }
    return all;
  }

  void look_at_gone_snapshots() {
    if (snapshots_.gone.empty()) return;
    present_ = present();
    for (const SeenSnapshot* const one : present_) {
      if (one->original) replacements_.emplace(*one->original, one);
    }
    if (would_forget_) forgettable_ = forgettable();
    std::map<Fate, std::vector<JournalId>> by_fate;
    for (const JournalId& id : snapshots_.gone) by_fate[fate_of(id)].push_back(id);
    constexpr std::pair<Fate, std::pair<FindingKind, Weight>> kWords[] = {
        {Fate::kNewest, {FindingKind::kVanishedNewest, Weight::kAlarm}},
        {Fate::kDespitePolicy, {FindingKind::kVanishedDespitePolicy, Weight::kAlarm}},
        {Fate::kUnexplained, {FindingKind::kVanishedSnapshots, Weight::kWarning}},
        {Fate::kRewritten, {FindingKind::kRewritten, Weight::kRemark}},
        {Fate::kCutOff, {FindingKind::kCutOffRemoval, Weight::kRemark}},
        {Fate::kByPolicy, {FindingKind::kExplainedByPolicy, Weight::kRemark}},
    };
    for (const auto& [fate, words] : kWords) {
      const auto found = by_fate.find(fate);
      if (found != by_fate.end()) add_snapshots(words.first, words.second, found->second);
    }
  }

  // As before the visit, and with what has come since.
  Ids forgettable() const {
    std::vector<SeenSnapshot> all;
    for (const SeenSnapshot* const one : present_) all.push_back(*one);
    for (const JournalId& id : entry_.snapshots.gone) {
      if (const SeenSnapshot* const one = find(id)) all.push_back(*one);
    }
    return would_forget_(all, entry_.time);
  }

  const SeenSnapshot* replacement_of(const SeenSnapshot& gone) const {
    for (const std::optional<JournalId>& first : {std::optional(gone.id), gone.original}) {
      if (!first) continue;
      // A copy of the first one may have been kept beside its replacement.
      const auto [begin, end] = replacements_.equal_range(*first);
      for (auto at = begin; at != end; ++at) {
        if (entry_added(at->second->id)) return at->second;
      }
    }
    return nullptr;
  }

  bool entry_added(const JournalId& id) const {
    return std::ranges::binary_search(entry_.snapshots.added, id);
  }

  Fate fate_of(const JournalId& id) const {
    const SeenSnapshot* const gone = find(id);
    if (gone != nullptr) {
      if (const SeenSnapshot* const other = replacement_of(*gone)) {
        return other->tree == gone->tree ? Fate::kSameContent : Fate::kRewritten;
      }
    }
    if (before_.is_removing_snapshots) return Fate::kCutOff;
    if (would_forget_ && gone != nullptr) {
      return forgettable_.contains(id) ? Fate::kByPolicy : Fate::kDespitePolicy;
    }
    return gone != nullptr && is_newest(*gone) ? Fate::kNewest : Fate::kUnexplained;
  }

  bool is_newest(const SeenSnapshot& gone) const {
    return std::ranges::none_of(present_, [&](const SeenSnapshot* one) {
      return one->host == gone.host && one->paths == gone.paths && one->time >= gone.time;
    });
  }

  void look_at_indexes() {
    const bool is_same = entry_.indexes.gone.empty() && before_.index && entry_.index;
    if (is_same && entry_.index->blobs < before_.index->blobs) {
      add(FindingKind::kIndexShrank, Weight::kAlarm).count =
          before_.index->blobs - entry_.index->blobs;
    }
    if (indexes_.gone.empty() || before_.is_removing_indexes) return;
    if (!entry_.indexes.added.empty()) {
      return add_files(FindingKind::kIndexRewritten, Weight::kRemark, indexes_.gone);
    }
    // A prune of a repository that has lost snapshots may leave nothing for a new index file.
    const bool has_lost_any = !entry_.snapshots.gone.empty() || !before_.snapshots.gone.empty();
    add_files(FindingKind::kIndexVanished, has_lost_any ? Weight::kWarning : Weight::kAlarm,
              indexes_.gone);
  }

  void look_at_keys() {
    if (before_.is_empty || before_.keys.last_listed == kNoTime) return;
    add_files(FindingKind::kNewKey, Weight::kWarning, keys_.added);
    add_files(FindingKind::kVanishedKey, Weight::kWarning, keys_.gone);
  }

  void look_at_silent_changes(const std::vector<SeenSilentChanges>& changes) {
    if (changes.empty()) return;
    std::vector<JournalId> ids;
    std::uint64_t files = 0;
    for (const SeenSilentChanges& one : changes) {
      ids.push_back(one.snapshot);
      files += one.files;
    }
    add_snapshots(FindingKind::kSilentChanges, Weight::kWarning, ids);
    findings_.back().count = files;
  }

  void look_at_missing() {
    if (!entry_.missing) return;
    if (entry_.missing->packs > 0) {
      add(FindingKind::kMissingPacks, Weight::kAlarm).count = entry_.missing->packs;
    }
    add_files(FindingKind::kUnreadableFiles, Weight::kAlarm, entry_.missing->unreadable);
    if (!entry_.missing->snapshots.empty()) {
      add_snapshots(FindingKind::kUnindexedSnapshots, Weight::kAlarm, entry_.missing->snapshots);
    }
    look_at_silent_changes(entry_.missing->silent);
  }

  const KnownState& before_;
  const JournalEntry& entry_;
  const WouldForget& would_forget_;
  const ForeignChanges keys_;
  const ForeignChanges indexes_;
  const ForeignChanges snapshots_;
  std::vector<const SeenSnapshot*> present_;
  std::unordered_multimap<JournalId, const SeenSnapshot*> replacements_;
  Ids forgettable_;
  std::vector<Finding> findings_;
};

// The last entries that say of a file that their run has removed it, or written a key.
struct OwnChanges {
  std::unordered_map<JournalId, std::size_t> removed;
  std::unordered_map<JournalId, std::size_t> written;
};

OwnChanges own_changes(const std::vector<JournalEntry>& entries) {
  OwnChanges all;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    for (const auto* files : {&entries[i].keys, &entries[i].indexes, &entries[i].snapshots}) {
      for (const JournalId& id : files->removed) all.removed[id] = i;
    }
    for (const JournalId& id : entries[i].keys.written) all.written[id] = i;
  }
  return all;
}

void add_later(std::vector<JournalId>& own, const std::vector<JournalId>& files, std::size_t place,
               const std::unordered_map<JournalId, std::size_t>& later) {
  for (const JournalId& id : files) {
    const auto found = later.find(id);
    if (found != later.end() && found->second > place) own.push_back(id);
  }
  std::ranges::sort(own);
}

// A run tells at its end what it has done, and another may have seen that before.
JournalEntry with_own_changes(JournalEntry entry, std::size_t place, const OwnChanges& later) {
  for (auto* files : {&entry.keys, &entry.indexes, &entry.snapshots}) {
    add_later(files->removed, files->gone, place, later.removed);
  }
  add_later(entry.keys.written, entry.keys.added, place, later.written);
  return entry;
}

// Then the clock of this machine was wrong at that visit, or the snapshots do no harm any more.
bool has_passed(const Finding& finding, std::int64_t now) {
  return std::ranges::all_of(finding.about, [&](const SeenSnapshot& one) {
    return one.time <= now + kClockToleranceSeconds;
  });
}

}  // namespace

std::vector<Finding> compare(const KnownState& before, const JournalEntry& entry,
                             const WouldForget& would_forget) {
  if (entry.kind != EntryKind::kVisit) return {};
  return Comparison(before, entry, would_forget).find();
}

std::vector<Finding> findings_of(const std::vector<JournalEntry>& entries,
                                 const WouldForget& would_forget) {
  OwnChanges later = own_changes(entries);
  KnownState state;
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const JournalEntry& entry = entries[i];
    if (entry.kind == EntryKind::kAccepted) findings.clear();
    const JournalEntry explained = with_own_changes(entry, i, later);
    for (Finding& one : compare(state, explained, would_forget)) {
      findings.push_back(std::move(one));
    }
    state.apply(entry);
  }
  for (Finding& one : findings) {
    if (one.kind == FindingKind::kFutureSnapshot && has_passed(one, state.last_time)) {
      one.weight = Weight::kRemark;
    }
  }
  return findings;
}

}  // namespace restree
