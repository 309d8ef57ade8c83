#include "repo/retention/removal_guard.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace restree {
namespace {

constexpr std::int64_t kClockDifferenceSeconds = 3600;
constexpr std::size_t kFewestGroups = 3;

double share_removed(const JudgedGroup& group) {
  if (group.judged.empty()) return 0;
  return 100.0 * static_cast<double>(group.removals()) / static_cast<double>(group.judged.size());
}

bool are_most_lonely(std::size_t lonely, std::size_t all) { return lonely * 2 > all; }

std::optional<std::string> better_grouping(const std::vector<JudgedGroup>& groups) {
  std::vector<Snapshot> snapshots;
  for (const JudgedGroup& group : groups) {
    snapshots.insert(snapshots.end(), group.group.snapshots.begin(), group.group.snapshots.end());
  }
  const bool has_tags =
      std::ranges::any_of(snapshots, [](const Snapshot& one) { return !one.tags.empty(); });
  for (const std::string_view words : {"app", "host,tags", "tags", "paths", "host"}) {
    if (words.ends_with("tags") && !has_tags) continue;
    const Result<GroupBy> by = GroupBy::parse_with_app(words);
    if (!by) continue;
    const std::vector<SnapshotGroup> others = group_snapshots(snapshots, *by);
    const auto lonely = std::ranges::count_if(
        others, [](const SnapshotGroup& group) { return group.snapshots.size() == 1; });
    if (!are_most_lonely(static_cast<std::size_t>(lonely), others.size()))
      return std::string(words);
  }
  return std::nullopt;
}

}  // namespace

Result<double> parse_most_removed(std::string_view text) {
  if (text == "unlimited") return kAnyShare;
  double percent = -1;
  const bool has_sign = text.ends_with('%');
  const char* const end = text.data() + text.size() - (has_sign ? 1 : 0);
  const auto [parsed_to, error] =
      std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  const bool is_share = percent >= 0 && percent <= kAnyShare;
  if (!has_sign || error != std::errc() || parsed_to != end || !is_share) {
    return Error(ErrorKind::kInvalid,
                 "must be a share such as 50%, from 0% to 100%, or the word unlimited");
  }
  return percent;
}

const JudgedGroup* find_group_losing_most(const std::vector<JudgedGroup>& groups,
                                          double most_percent) {
  const auto most = std::ranges::max_element(groups, {}, share_removed);
  if (most == groups.end() || share_removed(*most) <= most_percent) return nullptr;
  return &*most;
}

std::vector<const Snapshot*> snapshots_of_the_future(const std::vector<JudgedGroup>& groups,
                                                     Timestamp now) {
  now.seconds += kClockDifferenceSeconds;
  std::vector<const Snapshot*> future;
  for (const JudgedGroup& group : groups) {
    for (const JudgedSnapshot& one : group.judged) {
      if (one.snapshot->time > now) future.push_back(one.snapshot);
    }
  }
  std::ranges::stable_sort(future,
                           [](const Snapshot* a, const Snapshot* b) { return a->time > b->time; });
  return future;
}

std::optional<LonelyGroups> find_lonely_groups(const std::vector<JudgedGroup>& groups) {
  const auto lonely = static_cast<std::size_t>(std::ranges::count_if(
      groups, [](const JudgedGroup& group) { return group.judged.size() == 1; }));
  if (groups.size() < kFewestGroups || !are_most_lonely(lonely, groups.size())) return std::nullopt;
  return LonelyGroups{lonely, groups.size(), better_grouping(groups)};
}

}  // namespace restree
