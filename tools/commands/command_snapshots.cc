// restree snapshots
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/snapshot_options.h"
#include "tools/commands/snapshot_table.h"

namespace restree {
namespace {

struct SnapshotsOptions {
  std::vector<std::string> words;
  SnapshotOptions selection;
  bool compact = false;
  bool last = false;
  std::int64_t latest = 0;
  std::string group_by;
};

// The newest `count` of each host and set of paths.
void keep_latest(std::vector<Snapshot>& snapshots, std::int64_t count, bool is_one_group) {
  std::map<std::pair<std::string, std::string>, std::int64_t> seen;
  std::vector<Snapshot> kept;
  for (Snapshot& snapshot : std::views::reverse(snapshots)) {
    std::vector<std::string> paths = snapshot.paths;
    std::sort(paths.begin(), paths.end());
    const std::string joined = fmt::format("{}", fmt::join(paths, "|"));
    auto& so_far = seen[is_one_group ? std::pair<std::string, std::string>()
                                     : std::pair(snapshot.hostname, joined)];
    if (so_far++ < count) kept.push_back(std::move(snapshot));
  }
  std::reverse(kept.begin(), kept.end());
  snapshots = std::move(kept);
}

std::string json_of(const std::vector<SnapshotGroup>& groups, GroupBy by) {
  JsonWriter json;
  if (by.none()) {
    append_snapshots(json, groups.empty() ? std::vector<Snapshot>() : groups.front().snapshots);
    return json.json();
  }
  json.begin_array();
  for (const SnapshotGroup& group : groups) {
    json.begin_object().key("group_key").begin_object();
    json.key("hostname").text(group.hostname).key("paths");
    append_list_or_null(json, group.paths, by.paths);
    json.key("tags");
    append_list_or_null(json, group.tags, by.tags);
    if (by.app) json.key("app").text(group.app);
    json.end_object().key("snapshots");
    append_snapshots(json, group.snapshots);
    json.end_object();
  }
  json.end_array();
  return json.json();
}

Result<ExitCode> run_snapshots(const SnapshotsOptions& options, Session& session) {
  ASSIGN_OR_RETURN(const GroupBy by, GroupBy::parse_with_app(options.group_by));
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kShared));
  ASSIGN_OR_RETURN(std::vector<Snapshot> snapshots,
                   select_snapshots(*repository, options.words, options.selection.filter(),
                                    session.patience(), say_ignored(session)));
  std::stable_sort(snapshots.begin(), snapshots.end(),
                   [](const Snapshot& a, const Snapshot& b) { return a.time < b.time; });
  // Like restic, list the paths sorted, whatever their order in the snapshot.
  for (Snapshot& one : snapshots) std::sort(one.paths.begin(), one.paths.end());
  std::vector<SnapshotGroup> groups = group_snapshots(std::move(snapshots), by);
  const std::int64_t latest = options.latest == 0 && options.last ? 1 : options.latest;
  if (latest > 0) {
    for (auto& group : groups) keep_latest(group.snapshots, latest, !by.none());
  }
  if (session.output().is_json()) {
    session.io().out_line(json_of(groups, by));
    return ExitCode::kSuccess;
  }
  for (SnapshotGroup& group : groups) {
    make_readable(group, session.output());
    session.io().out(group_header(group, by) +
                     snapshot_table(rows_of(group.snapshots), options.compact));
  }
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_snapshots(CommandSyntax& app) {
  const auto options = std::make_shared<SnapshotsOptions>();
  add_arguments(app, "snapshot", options->words, "Only these: ids, their beginnings, or latest");
  add_snapshot_options(app, options->selection);
  add_flag(app, "-c,--compact", options->compact, "Without paths, one line for each tag");
  add_number(app, "--latest", options->latest, "Only the newest N of each host and set of paths");
  add_deprecated_flag(app, "--last", options->last, "use --latest 1");
  add_group_by_option(app, options->group_by,
                      "A table for each group: host, paths, tags, app, separated by commas",
                      Grouping::kByAppToo);
  return [options](Session& session) { return run_snapshots(*options, session); };
}

}  // namespace restree
