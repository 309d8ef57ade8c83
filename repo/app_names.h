// Names for snapshots and the apps that they belong to, as directories of the mount and as words
// of a command line.
//
// Pure functions; any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/snapshot.h"

namespace restree {

// strftime(3), in UTC.
inline constexpr std::string_view kDefaultTimeTemplate = "%Y-%m-%dT%H-%M-%SZ";
// Beside the snapshots of an app.
inline constexpr std::string_view kLatestEntry = "latest";

// The app that a snapshot belongs to: `M_A` from its tags `maintainer=M` and `app=A`, or `A`, or
// else the last component of its first path.
std::string app_of(const Snapshot& snapshot);

// `name` as one directory entry. A name that cannot be one ('/', control bytes, ".", "..", nothing,
// more than 255 bytes) is written with %XX for what is in the way, as is '%' itself, so that two
// names never become one.
std::string entry_name(std::string_view name);
// The same with -1, -2 and so on at its end as long as it is taken. `name` is one entry already.
std::string free_entry_name(const std::string& name,
                            const std::function<bool(const std::string&)>& is_taken);

// A point in time by strftime(3) in UTC; nullopt if the template gives nothing.
std::optional<std::string> format_time(Timestamp time, const std::string& time_template);

// What a snapshot is called among those of its app, unless that is taken: TIME or TIME_VERSION.
std::string app_entry_name(const Snapshot& snapshot, const std::string& time_template);

// The parts of a path between its slashes, without empty ones and ".".
std::vector<std::string> path_components(std::string_view path);

// The snapshot that `words` name: APP, whose newest it is, or APP:SNAPSHOT, where SNAPSHOT is what
// stands in apps/APP/ of the mount, or the beginning of an id. `snapshots`: the oldest first, of
// equal times by id. kInvalid: there is none, or more than one.
Result<Snapshot> find_app_snapshot(const std::vector<Snapshot>& snapshots, std::string_view words,
                                   const std::string& time_template);

}  // namespace restree
