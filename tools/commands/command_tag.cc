// restree tag
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/format/json_writer.h"
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

using Tags = std::vector<std::string>;

// All tags of all lists, without empty ones.
Tags flattened(const std::vector<std::string>& lists) {
  Tags tags;
  for (const std::string& list : lists) {
    for (std::string& tag : split_tags(list)) {
      if (!tag.empty()) tags.push_back(std::move(tag));
    }
  }
  return tags;
}

// The tags that a snapshot should have; nullopt if it has exactly these already.
std::optional<Tags> changed_tags(const Tags& before, const TagOptions& options) {
  if (Tags wanted = flattened(options.set); !wanted.empty()) return wanted;
  Tags tags = before;
  for (std::string& tag : flattened(options.add)) {
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
  }
  // As in restic, the last tag takes the place of the removed one.
  for (const std::string& tag : flattened(options.remove)) {
    const auto found = std::find(tags.begin(), tags.end(), tag);
    if (found == tags.end()) continue;
    std::swap(*found, tags.back());
    tags.pop_back();
  }
  if (tags == before) return std::nullopt;
  return tags;
}

// Saves the new snapshot before removing the old one: if interrupted in between, both exist and
// none is lost.
Result<std::string> save_instead(Snapshot snapshot, Repository& repository, Session& session) {
  const SnapshotId before = snapshot.id;
  if (!snapshot.original) snapshot.original = before;
  const std::string json = write_snapshot(snapshot);
  ASSIGN_OR_RETURN(std::string name, repository.save_unpacked(FileType::kSnapshot, as_bytes(json),
                                                              session.patience()));
  RETURN_IF_ERROR(
      repository.storage().remove({FileType::kSnapshot, before.hex()}, session.patience()));
  return name;
}

void say_changed(const SnapshotId& before, const std::string& after, const Session& session) {
  if (session.options().json) {
    JsonWriter json;
    json.begin_object().key("message_type").text("changed");
    json.key("old_snapshot_id").text(before.hex());
    json.key("new_snapshot_id").text(after).end_object();
    session.io().out_line(json.json());
  } else if (session.options().verbosity > 1) {
    session.say(fmt::format("old snapshot ID: {} -> new snapshot ID: {}", before.hex(), after));
  }
}

void say_summary(std::size_t changed, const Session& session) {
  if (session.options().json) {
    JsonWriter json;
    json.begin_object().key("message_type").text("summary");
    json.key("changed_snapshots").number(changed).end_object();
    session.io().out_line(json.json());
    return;
  }
  session.say(changed == 0 ? "no snapshots were modified"
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
  session.say("create exclusive lock for repository");
  ASSIGN_OR_RETURN(Repository* const repository, session.open(Locking::kExclusiveToWrite));
  ASSIGN_OR_RETURN(const std::vector<Snapshot> snapshots,
                   select_snapshots(*repository, options.snapshots, options.filter.filter(),
                                    session.patience(), say_ignored(session)));
  std::size_t changed = 0;
  for (Snapshot snapshot : snapshots) {
    RETURN_IF_ERROR(session.go_on());
    std::optional<Tags> tags = changed_tags(snapshot.tags, options);
    if (!tags) continue;
    snapshot.tags = std::move(*tags);
    const Result<std::string> name = save_instead(snapshot, *repository, session);
    if (!name) {
      if (name.error().kind() == ErrorKind::kLocked) return name.error();  // so would all others be
      session.io().err_line(
          fmt::format("unable to modify the tags for snapshot ID \"{}\", ignoring: {}",
                      snapshot.id.hex(), name.error().message()));
      continue;
    }
    say_changed(snapshot.id, *name, session);
    ++changed;
  }
  say_summary(changed, session);
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_tag(CLI::App& app) {
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
