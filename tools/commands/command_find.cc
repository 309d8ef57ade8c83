// restree find
#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/pattern/path_pattern.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/system/time_zone.h"
#include "repo/text/time_words.h"
#include "repo/trees/tree_search.h"
#include "repo/trees/trees_ahead.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/find_report.h"
#include "tools/commands/index_option.h"
#include "tools/commands/snapshot_options.h"

namespace restree {
namespace {

struct FindOptions {
  std::vector<std::string> words;
  std::vector<std::string> snapshots;
  SnapshotOptions selection;
  std::string oldest;
  std::string newest;
  bool blob = false;
  bool tree = false;
  bool pack = false;
  bool show_pack_id = false;
  bool ignore_case = false;
  bool reverse = false;
  bool long_format = false;
  bool human_readable = false;

  bool by_id() const { return blob || tree || pack; }
  IndexOption index;
};

Result<TimeSpan> time_span(const FindOptions& options) {
  TimeSpan span;
  if (!options.oldest.empty()) {
    ASSIGN_OR_RETURN(span.oldest, parse_time_words(options.oldest, TimeZone::local()));
  }
  if (!options.newest.empty()) {
    ASSIGN_OR_RETURN(span.newest, parse_time_words(options.newest, TimeZone::local()));
  }
  if (span.oldest && span.newest && *span.oldest > *span.newest) {
    return Error(ErrorKind::kInvalid, "--oldest must specify a time before --newest");
  }
  return span;
}

class Finder {
 public:
  Finder(const FindOptions& options, Session& session, Repository& repository)
      : options_(options),
        session_(session),
        repository_(repository),
        ahead_(repository, session.trees_ahead()),
        report_(session.output(),
                {.long_lines = options.long_format,
                 .sizes = options.human_readable ? Sizes::kHuman : Sizes::kBytes}) {}

  Status prepare(const TimeSpan& modified) {
    if (options_.by_id()) {
      ASSIGN_OR_RETURN(WantedObjects wanted, wanted_objects());
      objects_.emplace(std::move(wanted), printing_objects());
      return {};
    }
    entries_.modified = modified;
    ASSIGN_OR_RETURN(
        entries_.patterns,
        PathPatterns::parse(options_.words,
                            options_.ignore_case ? LetterCase::kIgnored : LetterCase::kMatters));
    return {};
  }

  Status search(const Snapshot& snapshot) {
    report_.begin(snapshot);
    searched_ = snapshot.id;
    if (objects_) return objects_->search(ahead_, snapshot.tree);
    return search_entries(
        ahead_, snapshot.tree, entries_,
        {.match = [this](const std::string& path, const Node& node) { report_.match(path, node); },
         .unreadable = printing_unreadable()});
  }

  void finish() {
    report_.finish();
    if (!options_.show_pack_id || session_.output().is_json() || !objects_) return;
    for (const std::string& id : objects_->wanted().blobs.words()) tell_pack(BlobType::kData, id);
    for (const std::string& id : objects_->wanted().trees.words()) tell_pack(BlobType::kTree, id);
  }

 private:
  Result<WantedObjects> wanted_objects() {
    const WantedIds ids(options_.words);
    if (options_.pack) return objects_in_packs(repository_, ids, session_.options().patience);
    if (options_.blob) return WantedObjects{.blobs = ids};
    return WantedObjects{.trees = ids};
  }

  ObjectListener printing_objects() {
    return {
        .blob = [this](const BlobId& id, const std::string& path,
                       const BlobId& parent) { report_.object("blob", id, path, parent); },
        .tree = [this](const BlobId& id,
                       const std::string& path) { report_.object("tree", id, path, std::nullopt); },
        .unreadable = printing_unreadable()};
  }

  OnUnreadableTree printing_unreadable() {
    return [this](const BlobId& tree, const Error&) {
      session_.output().warn(
          fmt::format("Unable to load tree {}\n ... which belongs to snapshot {}", tree.hex(),
                      searched_.hex()));
    };
  }

  void tell_pack(BlobType type, const std::string& word) {
    const auto id = BlobId::parse(word);
    if (!id) {
      session_.io().out_line(fmt::format(
          "Note: cannot find pack for object '{}', unable to parse ID: invalid length for ID: "
          "\"{}\"",
          word, word));
      return;
    }
    const auto place = repository_.find_blob(type, *id);
    if (!place) {
      session_.io().out_line(fmt::format("Object {} with type {} not found in the index",
                                         to_string(type), id->short_hex()));
      return;
    }
    session_.io().out(
        fmt::format("Object belongs to pack {}\n ... Pack {}: <Blob ({}) {}, offset {}, length {}, "
                    "uncompressed length {}>\n",
                    place->pack.hex(), place->pack.short_hex(), to_string(type), id->short_hex(),
                    place->offset, place->length, place->raw_length));
  }

  const FindOptions& options_;
  Session& session_;
  Repository& repository_;
  TreesAhead ahead_;
  FindReport report_;
  WantedEntries entries_;
  std::optional<ObjectSearch> objects_;  // if ids are wanted instead of entries
  SnapshotId searched_;
};

Status check(const FindOptions& options) {
  if (options.words.empty()) return Error(ErrorKind::kInvalid, "wrong number of arguments");
  if (int{options.blob} + int{options.tree} + int{options.pack} > 1) {
    return Error(ErrorKind::kInvalid, "cannot have several ID types");
  }
  return {};
}

Result<ExitCode> run_find(const FindOptions& options, Session& session) {
  RETURN_IF_ERROR(check(options));
  ASSIGN_OR_RETURN(const TimeSpan span, time_span(options));
  use_index(options.index, session);
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(Locking::kShared));
  Finder finder(options, session, *repository);
  RETURN_IF_ERROR(finder.prepare(span));
  ASSIGN_OR_RETURN(std::vector<Snapshot> snapshots,
                   select_snapshots(*repository, options.snapshots, options.selection.filter(),
                                    session.patience(), say_ignored(session)));
  std::stable_sort(snapshots.begin(), snapshots.end(), [&](const Snapshot& a, const Snapshot& b) {
    return options.reverse ? a.time < b.time : b.time < a.time;
  });
  for (const Snapshot& snapshot : snapshots) RETURN_IF_ERROR(finder.search(snapshot));
  finder.finish();
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_find(CommandSyntax& app) {
  const auto options = std::make_shared<FindOptions>();
  add_arguments(app, "pattern", options->words, "Patterns of names or paths, or ids");
  add_list(app, "-s,--snapshot", options->snapshots, "Look in this snapshot");
  add_snapshot_options(app, options->selection);
  add_text(app, "-O,--oldest", options->oldest, "Only what was changed then or later");
  add_text(app, "-N,--newest", options->newest, "Only what was changed then or before");
  add_flag(app, "--blob", options->blob, "Look for blobs by their ids");
  add_flag(app, "--tree", options->tree, "Look for trees by their ids");
  add_flag(app, "--pack", options->pack, "Look for what lies in packs, by their ids");
  add_flag(app, "--show-pack-id", options->show_pack_id, "Tell where the blobs or trees lie");
  add_flag(app, "-i,--ignore-case", options->ignore_case, "Letters match in either case");
  add_flag(app, "-R,--reverse", options->reverse, "The oldest snapshot first");
  add_flag(app, "-l,--long", options->long_format, "Mode, owner, size and time of each");
  add_flag(app, "--human-readable", options->human_readable, "Sizes in KiB, MiB, …");
  add_index_option(app, options->index);
  return [options](Session& session) { return run_find(*options, session); };
}

}  // namespace restree
