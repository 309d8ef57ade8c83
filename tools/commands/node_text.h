// Formats nodes and times as commands print them, like restic does.
//
// Pure functions; any thread. Times are shown in the zone of the process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "repo/format/tree.h"
#include "repo/text/json_writer.h"
#include "repo/text/timestamp.h"

namespace restree {

// Go's FileMode of the node; 0 if the backup recorded none.
std::uint32_t go_mode(const Node& node);
// "drwxr-xr-x", as Go writes it: a symlink begins with L, a setuid file with u.
std::string mode_text(std::uint32_t go_mode);

// "2026-09-01 03:00:05" and RFC 3339, both in local time.
std::string local_time(Timestamp time);
std::string local_timestamp(Timestamp time);

// As Go prints a time that was read from a file: "2026-09-01 03:00:05.12 +0200 +0200".
std::string go_time(ZonedTimestamp time);

// A line as of restic's `ls -l`: mode, owner, size, time, path and link target.
enum class Sizes { kBytes, kHuman };
std::string long_line(std::string_view path, const Node& node, Sizes sizes);
// The same with a link's target as it is to be shown.
std::string long_line(std::string_view path, const Node& node, Sizes sizes,
                      std::string_view link_target);

// Adds the fields "mtime", "atime" and "ctime" to the object that the caller has begun.
void append_times(const Node& node, JsonWriter& json);

}  // namespace restree
