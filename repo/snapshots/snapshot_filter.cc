#include "repo/snapshots/snapshot_filter.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "repo/snapshots/app_sources.h"

namespace restree {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool has_tags(const Snapshot& snapshot, const std::vector<std::string>& wanted) {
  for (const std::string& tag : wanted) {
    if (tag.empty() && snapshot.tags.empty()) return true;
    if (!contains(snapshot.tags, tag)) return false;
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhiteSpace = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kWhiteSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhiteSpace) - first + 1);
}

std::vector<std::string_view> split_at_commas(std::string_view list) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t comma = list.find(',');
    words.push_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return words;
    list.remove_prefix(comma + 1);
  }
}

std::vector<std::string> sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  return list;
}

// The name of the app of each.
std::vector<std::string> names_of_apps(const std::vector<Snapshot>& snapshots) {
  std::vector<const Snapshot*> all;
  all.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) all.push_back(&snapshot);
  std::vector<std::string> names(snapshots.size());
  for (const App& app : apps_of(all)) {
    for (const Snapshot* const one : app.snapshots) {
      names[static_cast<std::size_t>(one - snapshots.data())] = app.name;
    }
  }
  return names;
}

}  // namespace

bool SnapshotFilter::matches(const Snapshot& snapshot) const {
  if (!hosts.empty() && !contains(hosts, snapshot.hostname)) return false;
  if (!tag_lists.empty() && std::none_of(tag_lists.begin(), tag_lists.end(), [&](const auto& tags) {
        return has_tags(snapshot, tags);
      })) {
    return false;
  }
  return std::all_of(paths.begin(), paths.end(),
                     [&](const std::string& path) { return contains(snapshot.paths, path); });
}

std::string SnapshotFilter::description() const {
  std::vector<std::string> lists;
  lists.reserve(tag_lists.size());
  for (const auto& tags : tag_lists) lists.push_back(fmt::format("[{}]", fmt::join(tags, ", ")));
  return fmt::format("Paths:[{}] Tags:[{}] Hosts:[{}]", fmt::join(paths, " "),
                     fmt::join(lists, " "), fmt::join(hosts, " "));
}

std::vector<std::string> split_tags(std::string_view list) {
  std::vector<std::string> tags;
  for (const std::string_view word : split_at_commas(list)) tags.emplace_back(trimmed(word));
  return tags;
}

std::vector<std::string> tags_of(const std::vector<std::string>& lists) {
  std::vector<std::string> tags;
  for (const std::string& list : lists) {
    for (std::string& tag : split_tags(list)) {
      if (!tag.empty()) tags.push_back(std::move(tag));
    }
  }
  return tags;
}

Result<GroupBy> GroupBy::parse(std::string_view words) {
  GroupBy by;
  for (const std::string_view word : split_at_commas(words)) {
    if (word == "host" || word == "hosts") {
      by.host = true;
    } else if (word == "path" || word == "paths") {
      by.paths = true;
    } else if (word == "tag" || word == "tags") {
      by.tags = true;
    } else if (!word.empty()) {
      return Error(
          ErrorKind::kInvalid,
          fmt::format("unknown grouping option: \"{}\"; there are host, paths and tags", word));
    }
  }
  return by;
}

Result<GroupBy> GroupBy::parse_with_app(std::string_view words) {
  std::vector<std::string_view> others;
  bool app = false;
  for (const std::string_view word : split_at_commas(words)) {
    if (word == "app" || word == "apps") {
      app = true;
    } else {
      others.push_back(word);
    }
  }
  Result<GroupBy> by = parse(fmt::format("{}", fmt::join(others, ",")));
  if (!by) return Error(by.error().kind(), by.error().message() + ", and app");
  by->app = app;
  return by;
}

std::vector<SnapshotGroup> group_snapshots(std::vector<Snapshot> snapshots, GroupBy by) {
  using Key =
      std::tuple<std::string, std::vector<std::string>, std::vector<std::string>, std::string>;
  const std::vector<std::string> apps =
      by.app ? names_of_apps(snapshots) : std::vector<std::string>(snapshots.size());
  std::map<Key, std::vector<Snapshot>> groups;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    Snapshot& snapshot = snapshots[i];
    Key key{by.host ? snapshot.hostname : std::string(),
            by.paths ? sorted(snapshot.paths) : std::vector<std::string>(),
            by.tags ? sorted(snapshot.tags) : std::vector<std::string>(), apps[i]};
    groups[std::move(key)].push_back(std::move(snapshot));
  }
  std::vector<SnapshotGroup> result;
  result.reserve(groups.size());
  for (auto& [key, members] : groups) {
    result.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key),
                      std::move(members)});
  }
  return result;
}

}  // namespace restree
