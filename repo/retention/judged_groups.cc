#include "repo/retention/judged_groups.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace restree {

std::size_t JudgedGroup::removals() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(judged, [](const JudgedSnapshot& one) { return !one.is_kept(); }));
}

std::vector<JudgedGroup> judge_groups(std::vector<Snapshot> snapshots, GroupBy by,
                                      const RetentionPolicy& policy, Timestamp now,
                                      const TimeZone& zone) {
  for (Snapshot& one : snapshots) {
    std::ranges::sort(one.paths);
    if (by.tags) std::ranges::sort(one.tags);
  }
  std::vector<JudgedGroup> groups;
  for (SnapshotGroup& group : group_snapshots(std::move(snapshots), by)) {
    std::vector<JudgedSnapshot> judged = apply_policy(group.snapshots, policy, now, zone);
    groups.emplace_back(std::move(group), std::move(judged));
  }
  return groups;
}

std::string group_words(const SnapshotGroup& group, GroupBy by) {
  std::vector<std::string> parts;
  if (by.app) parts.push_back("app " + group.app);
  if (by.host && !group.hostname.empty()) parts.push_back("host " + group.hostname);
  if (by.paths && !group.paths.empty()) {
    parts.push_back(fmt::format("path [{}]", fmt::join(group.paths, " ")));
  }
  if (by.tags && !group.tags.empty()) {
    parts.push_back(fmt::format("tags [{}]", fmt::join(group.tags, " ")));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace restree
