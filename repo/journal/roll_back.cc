#include "repo/journal/roll_back.h"

#include <algorithm>
#include <cstdint>

namespace restree {
namespace {

bool has(const std::vector<JournalId>& sorted, const JournalId& id) {
  return std::ranges::binary_search(sorted, id);
}

// Bounds of the moment to which the files went back: what is left had come by then, what is gone came
// after it. A file came at some time after the last visit without it and before the first one with it.
struct Moment {
  std::int64_t not_before = kNoTime;
  std::int64_t before = INT64_MAX;
};

// False: nothing is left.
bool narrow(Moment& moment, const KnownFiles& files, const ForeignChanges& changes) {
  bool is_any_left = false;
  for (const auto& [id, times] : files.present) {
    if (has(changes.gone, id)) {
      moment.before = std::min(moment.before, times.first_seen);
    } else {
      is_any_left = true;
      const std::int64_t came_after = times.is_own ? times.first_seen : times.unseen_until;
      moment.not_before = std::max(moment.not_before, came_after);
    }
  }
  return is_any_left;
}

// When it was stored, by its own account.
std::int64_t made(const SeenSnapshot& one) {
  return one.figures ? std::max(one.time, one.figures->ended) : one.time;
}

// Of the gone ones, the share that must be newer than all that are left. Clocks may be wrong, and what was
// copied or rewritten has old dates. A forget removes old snapshots.
constexpr double kNewerShare = 0.8;

bool are_the_newest(const KnownState& before, const std::vector<JournalId>& gone) {
  std::int64_t newest_left = kNoTime;
  for (const auto& [id, times] : before.snapshots.present) {
    const SeenSnapshot* const one = has(gone, id) ? nullptr : before.find(id);
    if (one != nullptr) newest_left = std::max(newest_left, made(*one));
  }
  std::size_t dated = 0;
  std::size_t newer = 0;
  for (const JournalId& id : gone) {
    const SeenSnapshot* const one = before.find(id);
    if (one == nullptr || one->original) continue;
    ++dated;
    if (made(*one) > newest_left) ++newer;
  }
  return static_cast<double>(newer) >= kNewerShare * static_cast<double>(dated);
}

}  // namespace

ForeignChanges foreign_changes(const KnownFiles& before, const FileChanges& changes) {
  ForeignChanges foreign;
  std::ranges::set_difference(changes.added, changes.written, std::back_inserter(foreign.added));
  std::ranges::set_difference(changes.gone, changes.removed, std::back_inserter(foreign.gone));
  for (const JournalId& id : foreign.added) {
    if (before.gone.contains(id)) foreign.returned.push_back(id);
  }
  return foreign;
}

bool is_rolled_back(const KnownState& before, const ForeignChanges& snapshots,
                    const ForeignChanges& indexes) {
  // forget --undo brings snapshots back, but no index file that a prune has replaced.
  if (!indexes.returned.empty()) return true;
  if (!snapshots.returned.empty() && !snapshots.gone.empty()) return true;
  if (snapshots.gone.empty() || indexes.gone.empty()) return false;
  // A prune that replaces all index files leaves none of them, and snapshots need some.
  Moment moment;
  const bool has_snapshots = narrow(moment, before.snapshots, snapshots);
  const bool has_indexes = narrow(moment, before.indexes, indexes);
  return has_snapshots && has_indexes && moment.not_before < moment.before &&
         are_the_newest(before, snapshots.gone);
}

}  // namespace restree
