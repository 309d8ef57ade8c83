#include "repo/journal/known_state.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

namespace restree {
namespace {

using Ids = std::unordered_set<JournalId>;

Ids set_of(const std::vector<JournalId>& ids) { return {ids.begin(), ids.end()}; }

void forget_oldest(KnownFiles& files) {
  if (files.gone.size() <= kMostGone) return;
  std::vector<std::pair<std::int64_t, JournalId>> by_time;
  by_time.reserve(files.gone.size());
  for (const auto& [id, times] : files.gone) by_time.emplace_back(times.gone, id);
  std::ranges::sort(by_time);
  for (std::size_t i = 0; i + kMostGone < by_time.size(); ++i) files.gone.erase(by_time[i].second);
}

void apply_files(KnownFiles& files, const FileChanges& changes, std::int64_t time) {
  const Ids own = set_of(changes.written);
  for (const JournalId& id : changes.added) {
    files.gone.erase(id);
    files.present[id] = {.first_seen = time,
                         .unseen_until = files.last_listed,
                         .gone = kNoTime,
                         .is_own = own.contains(id)};
  }
  for (const JournalId& id : changes.written) {
    if (const auto found = files.present.find(id); found != files.present.end()) {
      found->second.is_own = true;
    }
  }
  for (const JournalId& id : changes.gone) {
    FileTimes times{.first_seen = time, .unseen_until = kNoTime, .gone = time, .is_own = false};
    if (const auto found = files.present.find(id); found != files.present.end()) {
      times = found->second;
      times.gone = time;
      files.present.erase(found);
    }
    files.gone[id] = times;
  }
  forget_oldest(files);
  if (changes.listed) files.last_listed = time;
}

// The times of a condensed entry are those of before. Returns where those of the next type begin.
std::size_t apply_condensed(KnownFiles& files, const FileChanges& changes,
                            const std::vector<FileTimes>& times, std::size_t next,
                            std::int64_t time) {
  for (const JournalId& id : changes.added) files.present[id] = times[next++];
  for (const JournalId& id : changes.gone) files.gone[id] = times[next++];
  if (changes.listed) files.last_listed = time;
  return next;
}

FileChanges changes_of(const KnownFiles& known, const SeenFiles& seen) {
  FileChanges changes{.listed = seen.listed.has_value()};
  const Ids removed = set_of(seen.removed);
  const Ids listed = set_of(seen.listed.value_or(std::vector<JournalId>()));
  Ids added;
  for (const JournalId& id : seen.listed.value_or(std::vector<JournalId>())) {
    if (!known.present.contains(id) && !removed.contains(id)) changes.added.push_back(id);
  }
  added = set_of(changes.added);
  for (const JournalId& id : seen.written) {
    if (removed.contains(id)) continue;
    changes.written.push_back(id);
    if (!known.present.contains(id) && added.insert(id).second) changes.added.push_back(id);
  }
  const Ids written = set_of(changes.written);
  const auto is_gone = [&](const JournalId& id) {
    return removed.contains(id) || (seen.listed && !listed.contains(id) && !written.contains(id));
  };
  for (const auto& [id, times] : known.present) {
    if (is_gone(id)) changes.gone.push_back(id);
  }
  // Also those that another run has seen to be gone while this one was at it.
  changes.removed = seen.removed;
  for (auto* ids : {&changes.added, &changes.gone, &changes.written, &changes.removed}) {
    std::ranges::sort(*ids);
    const auto twice = std::ranges::unique(*ids);
    ids->erase(twice.begin(), twice.end());
  }
  return changes;
}

// The snapshots that are there and of which nothing was known yet.
std::vector<SeenSnapshot> new_details(const KnownState& state, const Visit& visit,
                                      const FileChanges& changes) {
  const Ids added = set_of(changes.added);
  Ids taken;
  std::vector<SeenSnapshot> details;
  for (const SeenSnapshot& one : visit.details) {
    const bool is_there = added.contains(one.id) || state.snapshots.present.contains(one.id);
    if (is_there && !state.details.contains(one.id) && taken.insert(one.id).second) {
      details.push_back(one);
    }
  }
  std::ranges::sort(details, {}, &SeenSnapshot::id);
  return details;
}

std::vector<std::pair<JournalId, FileTimes>> sorted(
    const std::unordered_map<JournalId, FileTimes>& files) {
  std::vector<std::pair<JournalId, FileTimes>> all(files.begin(), files.end());
  std::ranges::sort(all, {}, [](const auto& one) { return one.first; });
  return all;
}

}  // namespace

const SeenSnapshot* KnownState::find(const JournalId& snapshot) const {
  const auto found = details.find(snapshot);
  return found == details.end() ? nullptr : &found->second;
}

void KnownState::apply(const JournalEntry& entry) {
  if (entry.kind == EntryKind::kRemoving) {
    is_removing_snapshots = is_removing_snapshots || entry.snapshots.listed;
    is_removing_indexes = is_removing_indexes || entry.indexes.listed;
  }
  if (entry.kind == EntryKind::kRemoving || entry.kind == EntryKind::kAccepted) return;
  if (entry.kind == EntryKind::kFrom) {
    std::size_t next = 0;
    next = apply_condensed(keys, entry.keys, entry.times, next, entry.time);
    next = apply_condensed(indexes, entry.indexes, entry.times, next, entry.time);
    apply_condensed(snapshots, entry.snapshots, entry.times, next, entry.time);
  } else {
    apply_files(keys, entry.keys, entry.time);
    apply_files(indexes, entry.indexes, entry.time);
    apply_files(snapshots, entry.snapshots, entry.time);
  }
  for (const SeenSnapshot& one : entry.details) details.insert_or_assign(one.id, one);
  if (snapshots.gone.size() >= kMostGone) {
    std::erase_if(details, [&](const auto& one) {
      return !snapshots.present.contains(one.first) && !snapshots.gone.contains(one.first);
    });
  }
  if (entry.wrote_config) config = std::nullopt;
  if (entry.config) config = entry.config;
  if (!entry.indexes.gone.empty()) index = std::nullopt;
  if (entry.index) index = entry.index;
  if (entry.missing) missing = entry.missing;
  if (entry.snapshots.listed || !entry.snapshots.removed.empty()) is_removing_snapshots = false;
  if (entry.indexes.listed || !entry.indexes.removed.empty()) is_removing_indexes = false;
  last_time = entry.time;
  std::int64_t first = entry.time;
  for (const FileTimes& one : entry.times) first = std::min(first, one.first_seen);
  if (is_empty) first_time = first;
  is_empty = false;
}

JournalEntry changes_since(const KnownState& state, const Visit& visit) {
  JournalEntry entry{.time = visit.time,
                     .command = visit.command.substr(0, kMostJournalText),
                     .wrote_config = visit.wrote_config,
                     .earlier_here = visit.earlier_here,
                     .keys = changes_of(state.keys, visit.keys),
                     .indexes = changes_of(state.indexes, visit.indexes),
                     .snapshots = changes_of(state.snapshots, visit.snapshots)};
  // A run that writes a config has seen the one before.
  if (visit.config && visit.config != state.config && !visit.wrote_config) {
    entry.config = visit.config;
  }
  entry.details = new_details(state, visit, entry.snapshots);
  if (visit.index && visit.index != state.index) entry.index = visit.index;
  if (visit.missing && visit.missing.value() != state.missing.value_or(SeenMissing())) {
    entry.missing = visit.missing;
  }
  return entry;
}

SeenBy seen_by(const KnownState& state, std::int64_t time) {
  SeenBy seen;
  for (const auto& [id, times] : state.snapshots.present) {
    const SeenSnapshot* const one = state.find(id);
    const bool is_of_the_future = one != nullptr && one->time > time + kClockToleranceSeconds;
    if (times.first_seen <= time && !is_of_the_future) seen.snapshots.push_back(id);
  }
  for (const auto& [id, times] : state.indexes.present) {
    if (times.first_seen <= time || times.is_own) seen.indexes.push_back(id);
  }
  return seen;
}

bool is_bare(const JournalEntry& entry) {
  return entry.kind == EntryKind::kVisit && !entry.config && !entry.wrote_config &&
         !entry.earlier_here && entry.keys.empty() && entry.indexes.empty() &&
         entry.snapshots.empty() && entry.details.empty() && !entry.index && !entry.missing;
}

JournalEntry removal_entry(std::int64_t time, bool of_snapshots, bool of_indexes) {
  JournalEntry entry{.kind = EntryKind::kRemoving, .time = time};
  entry.snapshots.listed = of_snapshots;
  entry.indexes.listed = of_indexes;
  return entry;
}

std::vector<JournalEntry> condensed(const KnownState& state) {
  JournalEntry entry{.kind = EntryKind::kFrom, .time = state.last_time};
  entry.config = state.config;
  entry.index = state.index;
  entry.missing = state.missing;
  const std::array<std::pair<FileChanges*, const KnownFiles*>, 3> all{
      {{&entry.keys, &state.keys},
       {&entry.indexes, &state.indexes},
       {&entry.snapshots, &state.snapshots}}};
  for (const auto& [changes, known] : all) {
    changes->listed = known->last_listed != kNoTime;
    for (const auto& [id, times] : sorted(known->present)) {
      changes->added.push_back(id);
      entry.times.push_back(times);
    }
    for (const auto& [id, times] : sorted(known->gone)) {
      changes->gone.push_back(id);
      entry.times.push_back(times);
    }
  }
  for (const auto& [id, one] : state.details) entry.details.push_back(one);
  std::ranges::sort(entry.details, {}, &SeenSnapshot::id);
  std::vector<JournalEntry> entries{std::move(entry)};
  if (state.is_removing_snapshots || state.is_removing_indexes) {
    entries.push_back(
        removal_entry(state.last_time, state.is_removing_snapshots, state.is_removing_indexes));
  }
  return entries;
}

}  // namespace restree
