// Names of snapshots and of the apps to which they belong, for the directories of the mount and for
// command lines.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/snapshot.h"

namespace restree {

// For strftime(3), in UTC.
inline constexpr std::string_view kDefaultTimeTemplate = "%Y-%m-%dT%H-%M-%SZ";
// The name of the entry beside the snapshots of an app that leads to the newest one.
inline constexpr std::string_view kLatestEntry = "latest";
inline constexpr std::size_t kLongestEntryName = 255;

// The tags `app=` and `maintainer=` of a snapshot; nullopt without the first.
struct AppTags {
  std::string app;
  std::string maintainer;  // empty if there is no such tag
};
std::optional<AppTags> app_tags(const Snapshot& snapshot);

// The plain name of the app that a snapshot belongs to: `M_A` from its tags `maintainer=M` and
// `app=A`, or `A`, or else the last component of its first path. Different apps may have the same
// plain name (app_sources.h).
std::string app_of(const Snapshot& snapshot);

// Makes a name of a directory entry from `name`. Bytes that cannot stand there ('/', control bytes,
// the dots of "." and "..") are written as %XX, and so is '%' itself, so that two names never
// become one. An empty name and one of more than 255 bytes are replaced too.
std::string entry_name(std::string_view name);
// The two steps of entry_name(), for names that are made of several parts: the bytes that cannot stand in
// any name as %XX; and a name of more than 255 bytes cut to that, with a hash of `whole` behind it.
std::string escaped_bytes(std::string_view part);
std::string shortened_entry(const std::string& entry, std::string_view whole);

// Formats a time with strftime(3), in UTC; nullopt if the result is empty or longer than 1023 bytes.
// A time whose year does not fit into struct tm is written as its seconds, such as 67768036191676800s.
std::optional<std::string> format_time(Timestamp time, const std::string& time_template);

// The name of a snapshot among those of its app, if it is not taken: TIME or TIME_VERSION.
std::string app_entry_name(const Snapshot& snapshot, const std::string& time_template);

// The components of a path, without empty ones and ".". One of Windows, such as "C:\srv\wiki", is
// split at its backslashes.
std::vector<std::string> path_components(std::string_view path);

// The snapshot that `words` name: APP (its newest snapshot) or APP:SNAPSHOT, where APP is a name in
// apps/ of the mount, and SNAPSHOT one in apps/APP/ or the beginning of an id. `snapshots`: the
// oldest first, of equal times by id. kInvalid: no snapshot matches, or more than one.
Result<Snapshot> find_app_snapshot(const std::vector<Snapshot>& snapshots, std::string_view words,
                                   const std::string& time_template);

}  // namespace restree
