// A repository as visits see it, without bytes: hosts back up to it, machines forget and prune, and
// somebody may tamper with it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "repo/journal/comparison.h"
#include "repo/journal/known_state.h"

namespace restree::testing {

inline constexpr std::int64_t kHour = 3600;
inline constexpr std::int64_t kDay = 24 * kHour;
inline constexpr std::int64_t kNewYear = 1'767'225'600;  // 2026-01-01

// The number as an id.
inline JournalId journal_id(std::uint64_t number) {
  JournalId id;
  std::memcpy(id.bytes.data(), &number, sizeof number);
  return id;
}

class JournalWorld {
 public:
  std::int64_t now = kNewYear;
  std::map<JournalId, SeenSnapshot> snapshots;
  std::set<JournalId> indexes;
  std::set<JournalId> keys;
  SeenConfig config{.hash = journal_id(~0ULL), .version = 2};

  JournalWorld() { keys.insert(next_id()); }

  JournalId next_id() { return journal_id(++last_); }

  // A backup of a host, by that host.
  SeenSnapshot& back_up(const std::string& host, const std::string& path,
                        SeenFigures figures = {.files = 1000, .files_changed = 30}) {
    SeenSnapshot one{.id = next_id(), .time = now, .tree = next_id(), .host = host};
    one.paths = {path};
    one.has_parent = true;
    figures.ended = now + 600;
    one.figures = figures;
    indexes.insert(next_id());
    return snapshots.insert_or_assign(one.id, one).first->second;
  }

  // All index files become one.
  void prune() { indexes = {next_id()}; }

  // As tag and rewrite do it.
  SeenSnapshot& replace(const JournalId& id, bool changes_tree) {
    SeenSnapshot other = snapshots.at(id);
    other.original = other.original.value_or(id);
    other.id = next_id();
    if (changes_tree) other.tree = next_id();
    snapshots.erase(id);
    return snapshots.insert_or_assign(other.id, other).first->second;
  }

  // The snapshots of a source, the oldest first.
  std::vector<JournalId> of(const std::string& host) const {
    std::vector<std::pair<std::int64_t, JournalId>> found;
    for (const auto& [id, one] : snapshots) {
      if (one.host == host) found.emplace_back(one.time, id);
    }
    std::ranges::sort(found);
    std::vector<JournalId> ids;
    for (const auto& [time, id] : found) ids.push_back(id);
    return ids;
  }

  // What a command sees that lists everything.
  Visit visit(const std::string& command = "audit") const {
    Visit visit{.time = now, .command = command, .config = config};
    visit.keys.listed = std::vector<JournalId>(keys.begin(), keys.end());
    visit.indexes.listed = std::vector<JournalId>(indexes.begin(), indexes.end());
    visit.snapshots.listed.emplace();
    for (const auto& [id, one] : snapshots) {
      visit.snapshots.listed->push_back(id);
      visit.details.push_back(one);
    }
    return visit;
  }

 private:
  std::uint64_t last_ = 0;
};

// The journal of one machine.
class Journal {
 public:
  void keep(const Visit& visit) { add(changes_since(state_, visit)); }
  void add(const JournalEntry& entry) {
    state_.apply(entry);
    entries_.push_back(entry);
  }
  void accept(std::int64_t time) { add({.kind = EntryKind::kAccepted, .time = time}); }

  const KnownState& state() const { return state_; }
  const std::vector<JournalEntry>& entries() const { return entries_; }
  // Without remarks.
  std::vector<Finding> to_look_at(const WouldForget& policy = {}) const {
    std::vector<Finding> findings = findings_of(entries_, policy);
    std::erase_if(findings, [](const Finding& one) { return one.weight == Weight::kRemark; });
    return findings;
  }
  std::vector<std::string> kinds(const WouldForget& policy = {}) const {
    std::vector<std::string> kinds;
    for (const Finding& one : to_look_at(policy)) kinds.emplace_back(name_of(one.kind));
    return kinds;
  }

 private:
  KnownState state_;
  std::vector<JournalEntry> entries_;
};

// What a policy removes that keeps the newest `count` of each host.
inline WouldForget keep_last(std::size_t count) {
  return [count](const std::vector<SeenSnapshot>& all, std::int64_t) {
    std::map<std::string, std::vector<const SeenSnapshot*>> by_host;
    for (const SeenSnapshot& one : all) by_host[one.host].push_back(&one);
    std::unordered_set<JournalId> removed;
    for (auto& [host, of_host] : by_host) {
      std::ranges::sort(of_host, std::ranges::greater(), &SeenSnapshot::time);
      for (std::size_t i = count; i < of_host.size(); ++i) removed.insert(of_host[i]->id);
    }
    return removed;
  };
}

}  // namespace restree::testing
