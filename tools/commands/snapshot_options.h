// The options --host, --tag and --path, with which commands choose snapshots.
#pragma once

#include <string>
#include <vector>

#include "repo/snapshots/snapshot_filter.h"
#include "repo/snapshots/snapshot_selection.h"
#include "tools/cli/command_syntax.h"
#include "tools/session/session.h"

namespace restree {

struct SnapshotOptions {
  std::vector<std::string> hosts;
  std::vector<std::string> tags;
  std::vector<std::string> paths;

  // Without --host, RESTIC_HOST is used; an empty host means all hosts.
  SnapshotFilter filter() const;
  // False: a filter could only come from RESTIC_HOST.
  bool is_given() const { return !hosts.empty() || !tags.empty() || !paths.empty(); }
};

// kLong is for `forget`, where -H is another option.
enum class HostOption { kLong, kShortToo };
// `options` must outlive the parsing.
void add_snapshot_options(CommandSyntax& app, SnapshotOptions& options,
                          HostOption host = HostOption::kShortToo);

// Adds -g and --group-by; words that no group is made of are refused.
enum class Grouping { kAsRestic, kByAppToo };
void add_group_by_option(CommandSyntax& app, std::string& words, const std::string& description,
                         Grouping grouping = Grouping::kAsRestic);

// Prints which words are ignored and why, as restic does.
OnIgnored say_ignored(Session& session);

// The one snapshot that `word` names, for restore and dump: errors are in their words.
Result<SelectedSnapshot> find_one_snapshot(Session& session, Repository& repository,
                                           const std::string& word, const SnapshotOptions& options);

// For commands whose answer is a verdict about all snapshots that were asked for, where listings
// only leave out what they cannot find or read.
struct JudgedSnapshots {
  struct Missed {
    std::string word;  // as the user wrote it, or the id of a file that cannot be read
    Error why;
  };
  std::vector<Snapshot> found;
  std::vector<Missed> missed;
};
// `words` as select_snapshots() takes them. Options that choose snapshots beside ids are `missed`
// as "filters"; RESTIC_HOST beside ids is not meant for this call, and is passed by.
Result<JudgedSnapshots> select_to_judge(Session& session, Repository& repository,
                                        const std::vector<std::string>& words,
                                        const SnapshotOptions& options);

}  // namespace restree
