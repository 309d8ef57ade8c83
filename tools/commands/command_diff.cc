// restree diff
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>

#include "repo/snapshots/snapshot_selection.h"
#include "repo/text/json_writer.h"
#include "repo/trees/tree_comparison.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/index_option.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct DiffOptions {
  std::vector<std::string> words;
  bool metadata = false;
  IndexOption index;
};

// The marks of a change, as restic prints them.
std::string marks_of(const EntryChange& change) {
  std::string marks;
  if (change.added) marks += '+';
  if (change.removed) marks += '-';
  if (change.type) marks += 'T';
  if (change.content) marks += 'M';
  if (change.content_alone) marks += '?';
  if (change.metadata) marks += 'U';
  return marks;
}

// Prints each difference as soon as it is found.
ComparisonListener printing(const Output& output) {
  const auto print = [&output](const std::string& path, const EntryChange& change) {
    if (output.is_quiet()) return;
    JsonWriter json;
    json.begin_object().key("message_type").text("change").key("path").text(path);
    json.key("modifier").text(marks_of(change)).end_object();
    output.json(json.json());
    output.say(fmt::format("{:<5}{}", marks_of(change), output.shown(path)));
  };
  return {.change = print,
          .damaged = [&output](const Error& why) { output.warn("error: " + why.message()); },
          .unknown_size =
              [&output](BlobType type, const BlobId& id) {
                output.warn(fmt::format("unable to find blob size for <{}/{}>", to_string(type),
                                        id.short_hex()));
              }};
}

void append_figures(JsonWriter& json, const OneSidedFigures& figures) {
  json.begin_object().key("files").number(figures.files).key("dirs").number(figures.dirs);
  json.key("others").number(figures.others).key("data_blobs").number(figures.data_blobs);
  json.key("tree_blobs").number(figures.tree_blobs).key("bytes").number(figures.bytes).end_object();
}

std::string json_of(const ComparisonFigures& figures, const std::vector<std::string>& words) {
  JsonWriter json;
  json.begin_object().key("message_type").text("statistics");
  json.key("source_snapshot").text(words[0]).key("target_snapshot").text(words[1]);
  json.key("changed_files").number(figures.changed_files).key("added");
  append_figures(json, figures.added);
  json.key("removed");
  append_figures(json, figures.removed);
  json.end_object();
  return json.json() + "\n";
}

std::string text_of(const ComparisonFigures& figures) {
  const OneSidedFigures& added = figures.added;
  const OneSidedFigures& removed = figures.removed;
  return fmt::format(
      "\nFiles:       {:5} new, {:5} removed, {:5} changed\n"
      "Dirs:        {:5} new, {:5} removed\nOthers:      {:5} new, {:5} removed\n"
      "Data Blobs:  {:5} new, {:5} removed\nTree Blobs:  {:5} new, {:5} removed\n"
      "  Added:   {:<5}\n  Removed: {:<5}\n",
      added.files, removed.files, figures.changed_files, added.dirs, removed.dirs, added.others,
      removed.others, added.data_blobs, removed.data_blobs, added.tree_blobs, removed.tree_blobs,
      format_bytes(added.bytes), format_bytes(removed.bytes));
}

Result<BlobId> root_of(Session& session, Repository& repository, const SelectedSnapshot& selected) {
  return find_subfolder(repository, selected.snapshot.tree, selected.subfolder, session.patience());
}

Result<ExitCode> run_diff(const DiffOptions& options, Session& session) {
  if (options.words.size() != 2) return Error(ErrorKind::kInvalid, "specify two snapshot IDs");
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(Locking::kShared));
  ASSIGN_OR_RETURN(const SelectedSnapshot before,
                   select_by_id(*repository, options.words[0], session.patience()));
  ASSIGN_OR_RETURN(const SelectedSnapshot after,
                   select_by_id(*repository, options.words[1], session.patience()));
  session.output().say(fmt::format("comparing snapshot {} to {}:\n", before.snapshot.id.short_hex(),
                                   after.snapshot.id.short_hex()));
  ASSIGN_OR_RETURN(const BlobId old_root, root_of(session, *repository, before));
  ASSIGN_OR_RETURN(const BlobId new_root, root_of(session, *repository, after));
  ASSIGN_OR_RETURN(const ComparisonFigures figures,
                   compare_trees(*repository, old_root, new_root,
                                 options.metadata ? Metadata::kCompared : Metadata::kIgnored,
                                 session.trees_ahead(), printing(session.output())));
  session.io().out(session.output().is_json() ? json_of(figures, options.words) : text_of(figures));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_diff(CommandSyntax& app) {
  const auto options = std::make_shared<DiffOptions>();
  add_arguments(app, "snapshot", options->words,
                "The two snapshots, or folders SNAPSHOT:SUBFOLDER");
  add_flag(app, "--metadata", options->metadata, "Also where only modes, owners or times differ");
  add_index_option(app, options->index);
  return [options](Session& session) { return run_diff(*options, session); };
}

}  // namespace restree
