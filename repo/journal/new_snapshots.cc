#include "repo/journal/new_snapshots.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "repo/journal/comparison.h"

namespace restree {
namespace {

// Below so many files their number says little.
constexpr std::uint64_t kFewFiles = 20;
// Shares of the files that are new or changed.
constexpr double kMostly = 0.8;
constexpr double kUsually = 0.4;
// Of what is added, the share that compression leaves of encrypted data.
constexpr double kIncompressible = 0.95;

bool is_same_source(const SeenSnapshot& a, const SeenSnapshot& b) {
  return a.host == b.host && a.paths == b.paths;
}

double changed_share(const SeenFigures& figures) {
  if (figures.files == 0) return 0;
  return static_cast<double>(figures.files_new + figures.files_changed) /
         static_cast<double>(figures.files);
}

bool is_incompressible(const SeenFigures& figures) {
  return figures.bytes_added > 0 && static_cast<double>(figures.bytes_packed) >=
                                        kIncompressible * static_cast<double>(figures.bytes_added);
}

class OddSnapshots {
 public:
  OddSnapshots(const KnownState& before, const JournalEntry& entry)
      : before_(before),
        entry_(entry),
        own_(entry.snapshots.written.begin(), entry.snapshots.written.end()),
        clock_went_back_(before.last_time != kNoTime &&
                         entry.time + kClockToleranceSeconds / 24 < before.last_time) {}

  std::vector<Finding> find() {
    if (clock_went_back_) add(FindingKind::kClockWentBack, Weight::kRemark, nullptr);
    for (const SeenSnapshot& one : entry_.details) {
      if (!clock_went_back_ && !own_.contains(one.id)) look_at_date(one);
      if (!one.original) look_at_figures(one);
    }
    return std::move(findings_);
  }

 private:
  void look_at_date(const SeenSnapshot& one) {
    if (one.time > entry_.time + kClockToleranceSeconds) {
      return add(FindingKind::kFutureSnapshot, Weight::kAlarm, &one);
    }
    const bool is_new = std::ranges::binary_search(entry_.snapshots.added, one.id);
    const std::int64_t unseen_until = before_.snapshots.last_listed;
    if (!is_new || unseen_until == kNoTime || one.original) return;
    // restic copy names the original; a backup that has just ended may have begun long ago.
    const std::int64_t made = one.figures ? std::max(one.time, one.figures->ended) : one.time;
    if (made + kClockToleranceSeconds < unseen_until) {
      add(FindingKind::kPastSnapshot, Weight::kWarning, &one);
    }
  }

  // The newest snapshot of the same source that is older than `one`.
  const SeenSnapshot* one_before(const SeenSnapshot& one) const {
    const SeenSnapshot* found = nullptr;
    const auto consider = [&](const SeenSnapshot& other) {
      if (!is_same_source(one, other) || other.time >= one.time) return;
      if (found == nullptr || found->time < other.time) found = &other;
    };
    for (const auto& [id, other] : before_.details) consider(other);
    for (const SeenSnapshot& other : entry_.details) consider(other);
    return found;
  }

  void look_at_figures(const SeenSnapshot& one) {
    if (!one.figures || before_.is_empty) return;
    const SeenSnapshot* const earlier = one_before(one);
    if (earlier == nullptr || !earlier->figures) return;
    const SeenFigures& now = *one.figures;
    const SeenFigures& then = *earlier->figures;
    if (now.files == 0 && then.files > 0) {
      return add(FindingKind::kEmptySource, Weight::kAlarm, &one);
    }
    if (then.files >= kFewFiles && now.files < then.files / 2) {
      return add(FindingKind::kFewerFiles, Weight::kWarning, &one);
    }
    const bool was_usual = changed_share(then) < kUsually || !earlier->has_parent;
    if (now.files >= kFewFiles && one.has_parent && was_usual && changed_share(now) > kMostly) {
      add(FindingKind::kMostlyChanged,
          is_incompressible(now) && !is_incompressible(then) ? Weight::kAlarm : Weight::kWarning,
          &one);
    }
  }

  // Snapshots of one kind and weight are one finding.
  void add(FindingKind kind, Weight weight, const SeenSnapshot* about) {
    auto found = std::ranges::find_if(
        findings_, [&](const Finding& one) { return one.kind == kind && one.weight == weight; });
    if (found == findings_.end()) {
      findings_.push_back({kind, weight, before_.last_time, entry_.time});
      found = findings_.end() - 1;
    }
    if (about == nullptr) return;
    found->files.push_back(about->id);
    found->about.push_back(*about);
  }

  const KnownState& before_;
  const JournalEntry& entry_;
  const std::unordered_set<JournalId> own_;
  const bool clock_went_back_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> odd_snapshots(const KnownState& before, const JournalEntry& entry) {
  return OddSnapshots(before, entry).find();
}

}  // namespace restree
