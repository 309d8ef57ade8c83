#include "repo/snapshots/app_names.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <map>
#include <set>

#include "repo/base/name_hash.h"
#include "repo/identity.h"
#include "repo/snapshots/app_sources.h"
#include "repo/snapshots/free_names.h"
#include "repo/snapshots/future_dates.h"

namespace restree {
namespace {

// Fewer hexadecimal digits are not taken for the beginning of an id.
constexpr std::size_t kShortestId = 4;
constexpr std::size_t kMostNamesInMessage = 20;

std::optional<std::string> tag_value(const Snapshot& snapshot, std::string_view key) {
  for (const std::string& tag : snapshot.tags) {
    if (tag.starts_with(key)) return tag.substr(key.size());
  }
  return std::nullopt;
}

// The snapshots of an app, by their directory names.
using AppSnapshots = std::map<std::string, const Snapshot*>;

std::map<std::string, AppSnapshots> by_app(const std::vector<Snapshot>& snapshots,
                                           const std::string& time_template) {
  std::vector<const Snapshot*> all;
  all.reserve(snapshots.size());
  for (const Snapshot& snapshot : snapshots) all.push_back(&snapshot);
  std::map<std::string, AppSnapshots> apps;
  for (const App& app : apps_of(all)) {
    AppSnapshots& own = apps[app.name];
    FreeNames free_names;
    for (const Snapshot* snapshot : app.snapshots) {
      own.emplace(free_names.find(app_entry_name(*snapshot, time_template),
                                  [&](const std::string& name) {
                                    return name == kLatestEntry || own.contains(name);
                                  }),
                  snapshot);
    }
  }
  return apps;
}

Error unknown(std::string what, std::vector<std::string> there_are) {
  Error error(ErrorKind::kInvalid, std::move(what));
  if (there_are.empty()) return error;
  const bool all = there_are.size() <= kMostNamesInMessage;
  if (!all) there_are.erase(there_are.begin(), there_are.end() - kMostNamesInMessage);
  return std::move(error).hinting(
      fmt::format("Known names{}: {}.", all ? "" : ", among others", fmt::join(there_are, ", ")));
}

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  names.reserve(map.size());
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

// "C:\srv" or "\\server\share". A path of another system begins with a slash.
bool is_of_windows(std::string_view path) {
  const bool has_drive = path.size() >= 3 && path.substr(1, 2) == ":\\" &&
                         std::isalpha(static_cast<unsigned char>(path[0])) != 0;
  return has_drive || path.starts_with("\\\\");
}

}  // namespace

std::vector<std::string> path_components(std::string_view path) {
  const std::string_view separators = is_of_windows(path) ? "/\\" : "/";
  std::vector<std::string> components;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find_first_of(separators), path.size());
    const std::string_view component = path.substr(0, slash);
    if (!component.empty() && component != ".") components.emplace_back(component);
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return components;
}

std::optional<AppTags> app_tags(const Snapshot& snapshot) {
  auto app = tag_value(snapshot, "app=");
  if (!app || app->empty()) return std::nullopt;
  return AppTags{std::move(*app), tag_value(snapshot, "maintainer=").value_or("")};
}

std::string app_of(const Snapshot& snapshot) {
  if (const auto tags = app_tags(snapshot)) {
    return tags->maintainer.empty() ? tags->app : tags->maintainer + "_" + tags->app;
  }
  if (!snapshot.paths.empty()) {
    const std::vector<std::string> components = path_components(snapshot.paths.front());
    if (!components.empty()) return components.back();
  }
  return "root";
}

std::string escaped_bytes(std::string_view part) {
  std::string entry;
  for (const char c : part) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '/' || c == '%' || byte < 0x20 || byte == 0x7f) {
      entry += fmt::format("%{:02X}", byte);
    } else {
      entry += c;
    }
  }
  return entry;
}

std::string shortened_entry(const std::string& entry, std::string_view whole) {
  if (entry.size() <= kLongestEntryName) return entry;
  // The hash distinguishes long names that begin alike.
  const std::string tail = fmt::format("%~{:016x}", hash_name(0, whole));
  return entry.substr(0, kLongestEntryName - tail.size()) + tail;
}

std::string entry_name(std::string_view name) {
  if (name.empty()) return "%";
  if (name == ".") return "%2E";
  if (name == "..") return "%2E%2E";
  return shortened_entry(escaped_bytes(name), name);
}

std::optional<std::string> format_time(Timestamp time, const std::string& time_template) {
  const std::time_t seconds = time.seconds;
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return fmt::format("{}s", time.seconds);
  std::array<char, 1024> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), time_template.c_str(), &parts);
  if (length == 0) return std::nullopt;
  return std::string(text.data(), length);
}

std::string app_entry_name(const Snapshot& snapshot, const std::string& time_template) {
  std::string name = format_time(snapshot.time, time_template).value_or("");
  const std::optional<std::string> version = tag_value(snapshot, "version=");
  if (version && !version->empty()) name += "_" + *version;
  return entry_name(name);
}

Result<Snapshot> find_app_snapshot(const std::vector<Snapshot>& snapshots, std::string_view words,
                                   const std::string& time_template) {
  const auto apps = by_app(snapshots, time_template);
  // Both APP and SNAPSHOT may contain colons: take the longest beginning that is the name of an
  // app. A name comes after all its beginnings, so the search is from the last name on.
  const auto app = std::find_if(apps.rbegin(), apps.rend(), [&](const auto& candidate) {
    const std::string& name = candidate.first;
    return words.starts_with(name) && (words.size() == name.size() || words[name.size()] == ':');
  });
  if (app == apps.rend()) {
    return unknown(fmt::format("no app is called {}", words.substr(0, words.find(':'))),
                   names_of(apps));
  }
  const std::string wanted(words.substr(std::min(words.size(), app->first.size() + 1)));
  const AppSnapshots& own = app->second;
  if (wanted.empty() || wanted == kLatestEntry) {
    std::vector<const Snapshot*> all;
    for (const auto& [name, snapshot] : own) all.push_back(snapshot);
    const Timestamp now = wall_clock_now();
    const Snapshot* const latest = latest_of(all, now);
    warn_of_future(all, *latest, now);
    return *latest;
  }
  if (const auto found = own.find(wanted); found != own.end()) return *found->second;
  std::vector<const Snapshot*> matching;
  for (const auto& [name, snapshot] : own) {
    if (wanted.size() >= kShortestId && snapshot->id.hex().starts_with(wanted)) {
      matching.push_back(snapshot);
    }
  }
  if (matching.size() == 1) return *matching.front();
  if (matching.size() > 1) {
    return Error(
        ErrorKind::kInvalid,
        fmt::format("several snapshots of {} have ids that begin with {}", app->first, wanted));
  }
  return unknown(fmt::format("{} has no snapshot {}", app->first, wanted), names_of(own));
}

}  // namespace restree
