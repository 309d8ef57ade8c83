// Which snapshots are meant: restic's filters by host, tags and paths, and its grouping by them.
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
  std::vector<std::string> paths = {};  // all of them are among the snapshot's targets

  bool empty() const { return hosts.empty() && tag_lists.empty() && paths.empty(); }
  bool matches(const Snapshot& snapshot) const;
  // As messages show it.
  std::string description() const;
};

// The tags of one --tag: separated by commas, without the white space around them.
std::vector<std::string> split_tags(std::string_view list);

// By what snapshots are put together.
struct GroupBy {
  bool host = false;
  bool paths = false;
  bool tags = false;

  bool none() const { return !host && !paths && !tags; }
  // "host,paths", in restic's words and with its abbreviations. kInvalid: anything else.
  static Result<GroupBy> parse(std::string_view words);
};

struct SnapshotGroup {
  // Of these only what was grouped by is filled; lists are sorted.
  std::string hostname;
  std::vector<std::string> paths;
  std::vector<std::string> tags;
  std::vector<Snapshot> snapshots;  // in the order in which they were given
};

// Groups in the order of hostname, paths, tags.
std::vector<SnapshotGroup> group_snapshots(std::vector<Snapshot> snapshots, GroupBy by);

}  // namespace restree
