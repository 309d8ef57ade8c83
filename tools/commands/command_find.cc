// restree find
#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "repo/base/time_zone.h"
#include "repo/format/index_file.h"
#include "repo/pattern/path_pattern.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/trees/tree_walk.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/commands/find_report.h"
#include "tools/commands/snapshot_options.h"
#include "tools/output/time_words.h"

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
};

struct TimeSpan {
  std::optional<Timestamp> oldest;
  std::optional<Timestamp> newest;

  bool has(Timestamp time) const {
    return (!oldest || time >= *oldest) && (!newest || time <= *newest);
  }
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

// The ids to look for, each given in full or by its first eight digits.
class WantedIds {
 public:
  WantedIds() = default;
  explicit WantedIds(const std::vector<std::string>& words) : words_(words.begin(), words.end()) {}

  bool empty() const { return words_.empty(); }
  std::size_t size() const { return words_.size(); }
  void add(const std::string& hex) { words_.insert(hex); }
  template <class Tag>
  bool has(const Id<Tag>& id) const {
    return words_.contains(id.hex()) || words_.contains(id.short_hex());
  }
  const std::set<std::string>& words() const { return words_; }

 private:
  std::set<std::string> words_;
};

class Finder {
 public:
  Finder(const FindOptions& options, Session& session, Repository& repository, TimeSpan span)
      : options_(options),
        session_(session),
        repository_(repository),
        ahead_(repository, session.trees_ahead()),
        span_(span),
        report_(session.io(), {.json = session.options().json,
                               .long_lines = options.long_format,
                               .headers = session.options().verbosity > 0,
                               .sizes = options.human_readable ? Sizes::kHuman : Sizes::kBytes}) {}

  Status prepare() {
    if (options_.blob) blobs_ = WantedIds(options_.words);
    if (options_.tree) trees_ = WantedIds(options_.words);
    if (options_.pack) return want_blobs_of_packs();
    if (options_.by_id()) return {};
    ASSIGN_OR_RETURN(patterns_, PathPatterns::parse(options_.words, options_.ignore_case
                                                                        ? LetterCase::kIgnored
                                                                        : LetterCase::kMatters));
    return {};
  }

  Status search(const Snapshot& snapshot) {
    report_.begin(snapshot);
    stopped_ = false;
    TreeVisitor visitor{.node = {}, .unreadable = [&](const BlobId& tree, auto&) {
                          session_.io().err(
                              fmt::format("Unable to load tree {}\n ... which belongs to snapshot "
                                          "{}\n",
                                          tree.hex(), snapshot.id.hex()));
                          return Status();
                        }};
    if (options_.by_id()) {
      found_tree(*snapshot.tree, "/");
      visitor.node = [&](const BlobId& parent, const std::string& path, const Node& node) {
        return look_for_ids(parent, path, node);
      };
    } else {
      visitor.node = [&](const BlobId&, const std::string& path, const Node& node) {
        return look_for_patterns(path, node);
      };
      visitor.expects = [&](const std::string& path, const Node&) {
        return patterns_.any_may_match_below(path) || patterns_.any_matches(path);
      };
    }
    return walk_tree(ahead_, *snapshot.tree, visitor);
  }

  void finish() {
    report_.finish();
    if (!options_.show_pack_id || session_.options().json) return;
    for (const std::string& id : blobs_.words()) tell_pack(BlobType::kData, id);
    for (const std::string& id : trees_.words()) tell_pack(BlobType::kTree, id);
  }

 private:
  Result<Descend> look_for_patterns(const std::string& path, const Node& node) {
    if (patterns_.any_matches(path) && span_.has(node.mtime)) {
      report_.match(path, node);
      return Descend::kYes;
    }
    return patterns_.any_may_match_below(path) ? Descend::kYes : Descend::kNo;
  }

  Result<Descend> look_for_ids(const BlobId& parent, const std::string& path, const Node& node) {
    if (stopped_) return Descend::kNo;
    if (node.type == NodeType::kDirectory && node.subtree) found_tree(*node.subtree, path);
    for (const BlobId& id : node.content) {
      if (blobs_.has(id)) report_.object("blob", id, path, parent);
    }
    return Descend::kYes;
  }

  void found_tree(const BlobId& id, const std::string& path) {
    if (stopped_ || !trees_.has(id)) return;
    report_.object("tree", id, path, std::nullopt);
    ++trees_found_;
    // As in restic: if only trees are wanted, the search in a snapshot ends once as many trees were
    // found, in all snapshots, as there are ids; in later snapshots it ends at the first tree.
    stopped_ = blobs_.empty() && trees_found_ >= trees_.size();
  }

  Status want_blobs_of_packs() {
    const WantedIds packs(options_.words);
    std::set<std::string> missing = packs.words();
    ASSIGN_OR_RETURN(const std::vector<ListedFile> files,
                     repository_.storage().list(FileType::kIndex, session_.patience()));
    for (const ListedFile& file : files) {
      ASSIGN_OR_RETURN(const Bytes json, repository_.load_unpacked({FileType::kIndex, file.name},
                                                                   session_.patience()));
      RETURN_IF_ERROR(parse_index_file(json, [&](const PackId& pack, auto blobs) {
        if (!packs.has(pack)) return;
        missing.erase(pack.hex());
        missing.erase(pack.short_hex());
        for (const IndexedBlob& blob : blobs) {
          (blob.type == BlobType::kData ? blobs_ : trees_).add(blob.id.hex());
        }
      }));
    }
    if (missing.empty()) return {};
    return Error(ErrorKind::kInvalid,
                 fmt::format("unable to find pack(s): [{}]", fmt::join(missing, " ")));
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
  const TimeSpan span_;
  FindReport report_;
  PathPatterns patterns_;
  WantedIds blobs_;
  WantedIds trees_;
  std::size_t trees_found_ = 0;
  bool stopped_ = false;  // the search in the current snapshot has ended
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
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(Locking::kShared));
  Finder finder(options, session, *repository, span);
  RETURN_IF_ERROR(finder.prepare());
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

Run declare_find(CLI::App& app) {
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
  return [options](Session& session) { return run_find(*options, session); };
}

}  // namespace restree
