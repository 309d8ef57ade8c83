#include "repo/retention/apply_policy.h"

#include <algorithm>
#include <utility>

#include "repo/retention/policy_rules.h"
#include "repo/snapshots/snapshot_filter.h"

namespace restree {
namespace {

std::vector<std::string> lists_that_match(const Snapshot& snapshot, const RetentionPolicy& policy) {
  std::vector<std::string> texts;
  for (const auto& tags : policy.tag_lists) {
    if (SnapshotFilter{.tag_lists = {tags}}.matches(snapshot)) texts.push_back(tag_list_text(tags));
  }
  return texts;
}

}  // namespace

std::vector<JudgedSnapshot> apply_policy(const std::vector<Snapshot>& group,
                                         const RetentionPolicy& policy, Timestamp now,
                                         const TimeZone& zone) {
  std::vector<JudgedSnapshot> judged;
  judged.reserve(group.size());
  for (const Snapshot& snapshot : group) {
    judged.push_back({&snapshot, lists_that_match(snapshot, policy)});
  }
  std::stable_sort(judged.begin(), judged.end(),
                   [](const JudgedSnapshot& a, const JudgedSnapshot& b) {
                     return a.snapshot->time > b.snapshot->time;
                   });
  std::vector<Subject> subjects;
  subjects.reserve(judged.size());
  for (const JudgedSnapshot& one : judged) {
    subjects.push_back(
        Subject::of({one.snapshot->time, one.snapshot->time_offset_seconds}, one.is_kept()));
  }
  std::vector<RuleMatches> matches;
  match_rules(subjects, policy, now, zone, matches);
  for (std::size_t i = 0; i < judged.size(); ++i) {
    judged[i].reasons = reason_texts(matches[i], judged[i].reasons, policy);
  }
  return judged;
}

}  // namespace restree
