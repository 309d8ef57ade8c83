// restic's filters of snapshots by host, tags and paths, and its grouping by them; also by app.
//
// Pure functions of values; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/snapshot.h"

namespace restree {

struct SnapshotFilter {
  std::vector<std::string> hosts = {};  // any of them; empty: every host
  std::vector<std::vector<std::string>> tag_lists =
      {};                               // all tags of any list; an empty tag: untagged
  std::vector<std::string> paths = {};  // all of them must be among the snapshot's targets

  bool empty() const { return hosts.empty() && tag_lists.empty() && paths.empty(); }
  bool matches(const Snapshot& snapshot) const;
  // The filter as text, for messages.
  std::string description() const;
};

// Splits the value of one --tag at its commas, and removes white space around the tags.
std::vector<std::string> split_tags(std::string_view list);
// All tags of all lists, for snapshots to have: without empty ones, which come from variables that
// are not set.
std::vector<std::string> tags_of(const std::vector<std::string>& lists);

// The properties by which snapshots are grouped.
struct GroupBy {
  bool host = false;
  bool paths = false;
  bool tags = false;
  bool app = false;  // as the mount knows apps, see app_sources.h; restic has no such grouping

  bool none() const { return !host && !paths && !tags && !app; }
  // Parses for example "host,paths"; takes restic's words and abbreviations. kInvalid: others.
  static Result<GroupBy> parse(std::string_view words);
  // The same, and "app".
  static Result<GroupBy> parse_with_app(std::string_view words);
};

struct SnapshotGroup {
  // Only the properties by which snapshots were grouped are filled in; lists are sorted.
  std::string hostname;
  std::vector<std::string> paths;
  std::vector<std::string> tags;
  std::string app;                  // its name among the apps of all these snapshots
  std::vector<Snapshot> snapshots;  // in the order in which they were given
};

// Groups in the order of hostname, paths, tags, app.
std::vector<SnapshotGroup> group_snapshots(std::vector<Snapshot> snapshots, GroupBy by);

}  // namespace restree
