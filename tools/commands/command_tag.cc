// restree tag
#include <fmt/core.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/snapshots/snapshot_changes.h"
#include "repo/text/json_writer.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/snapshot_options.h"

namespace restree {
namespace {

struct TagOptions {
  std::vector<std::string> snapshots;
  SnapshotOptions filter;
  std::vector<std::string> set;
  std::vector<std::string> add;
  std::vector<std::string> remove;
};

void say_changed(const SnapshotId& before, const SnapshotId& after, const Session& session) {
  JsonWriter json;
  json.begin_object().key("message_type").text("changed");
  json.key("old_snapshot_id").text(before.hex());
  json.key("new_snapshot_id").text(after.hex()).end_object();
  session.output().json(json.json());
  session.output().detail(
      fmt::format("old snapshot ID: {} -> new snapshot ID: {}", before.hex(), after.hex()));
}

void say_summary(std::size_t changed, const Session& session) {
  JsonWriter json;
  json.begin_object().key("message_type").text("summary");
  json.key("changed_snapshots").number(changed).end_object();
  session.output().json(json.json());
  session.output().say(changed == 0 ? "no snapshots were modified"
                                    : fmt::format("modified {} snapshots", changed));
}

Status check(const TagOptions& options) {
  const bool adds_or_removes = !options.add.empty() || !options.remove.empty();
  if (options.set.empty() && !adds_or_removes) {
    return Error(ErrorKind::kInvalid, "nothing to do!")
        .hinting("Say what to do with --set, --add or --remove.");
  }
  if (!options.set.empty() && adds_or_removes) {
    return Error(ErrorKind::kInvalid, "--set and --add/--remove cannot be given at the same time");
  }
  return {};
}

Result<ExitCode> run_tag(const TagOptions& options, Session& session) {
  RETURN_IF_ERROR(check(options));
  session.output().say("create exclusive lock for repository");
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kExclusiveToWrite));
  ASSIGN_OR_RETURN(const std::vector<Snapshot> snapshots,
                   select_snapshots(*repository, options.snapshots, options.filter.filter(),
                                    session.patience(), say_ignored(session)));
  const TagChange change{
      .set = tags_of(options.set), .add = tags_of(options.add), .remove = tags_of(options.remove)};
  std::size_t changed = 0;
  for (Snapshot snapshot : snapshots) {
    RETURN_IF_ERROR(session.go_on());
    std::optional<std::vector<std::string>> tags = changed_tags(snapshot.tags, change);
    if (!tags) continue;
    snapshot.tags = std::move(*tags);
    const Result<SnapshotId> after =
        replace_snapshot(*repository, snapshot, session.options().patience);
    if (!after) {
      if (after.error().kind() == ErrorKind::kLocked)
        return after.error();  // so would all others be
      session.output().warn(
          fmt::format("unable to modify the tags for snapshot ID \"{}\", ignoring: {}",
                      snapshot.id.hex(), after.error().message()));
      continue;
    }
    say_changed(snapshot.id, *after, session);
    ++changed;
  }
  say_summary(changed, session);
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_tag(CommandSyntax& app) {
  const auto options = std::make_shared<TagOptions>();
  add_arguments(app, "snapshot", options->snapshots,
                "The snapshots to change (default: all that --host, --tag and --path choose)");
  add_list(app, "--set", options->set, "The tags that they are to have, TAG,TAG,…");
  add_list(app, "--add", options->add, "Tags that they are to have too, TAG,TAG,…");
  add_list(app, "--remove", options->remove, "Tags that they are not to have, TAG,TAG,…");
  add_snapshot_options(app, options->filter);
  return [options](Session& session) { return run_tag(*options, session); };
}

}  // namespace restree
