// restree diff
#include <fmt/core.h>

#include <memory>
#include <set>

#include "repo/archiver/node_change.h"
#include "repo/snapshots/snapshot_selection.h"
#include "repo/trees/tree_walk.h"
#include "tools/cli/option_words.h"
#include "tools/commands/commands.h"
#include "tools/output/human.h"

namespace restree {
namespace {

struct DiffOptions {
  std::vector<std::string> words;
  bool metadata = false;
};

using BlobSet = std::set<std::pair<BlobType, BlobId>>;

// Counts of what was added or removed.
struct Change {
  std::uint64_t files = 0;
  std::uint64_t dirs = 0;
  std::uint64_t others = 0;
  std::uint64_t data_blobs = 0;
  std::uint64_t tree_blobs = 0;
  std::uint64_t bytes = 0;

  void count(const Node& node) {
    if (node.type == NodeType::kFile) {
      ++files;
    } else if (node.type == NodeType::kDirectory) {
      ++dirs;
    } else {
      ++others;
    }
  }
};

void add_blobs(const Node& node, BlobSet& set) {
  for (const BlobId& id : node.content) set.emplace(BlobType::kData, id);
  if (node.subtree) set.emplace(BlobType::kTree, *node.subtree);
}

bool is_folder(const Node& node) { return node.type == NodeType::kDirectory && node.subtree; }

std::string path_of(const std::string& folder, const Node& node, bool ends_in_slash) {
  return fmt::format("{}{}{}", folder, node.name, ends_in_slash ? "/" : "");
}

bool has_same_content(const Node& a, const Node& b) {
  return std::equal(a.content.begin(), a.content.end(), b.content.begin(), b.content.end());
}

// Calls `take` with the nodes of each name in two trees; nullptr: that tree has no such node.
template <class Take>
Status for_each_pair(const Tree& before, const Tree& after, const Take& take) {
  auto old_node = before.nodes().begin();
  auto new_node = after.nodes().begin();
  const auto old_end = before.nodes().end();
  const auto new_end = after.nodes().end();
  while (old_node != old_end || new_node != new_end) {
    const bool only_new =
        old_node == old_end || (new_node != new_end && new_node->name < old_node->name);
    const bool only_old =
        new_node == new_end || (old_node != old_end && old_node->name < new_node->name);
    const Node* const before_it = only_new ? nullptr : &*old_node++;
    const Node* const after_it = only_old ? nullptr : &*new_node++;
    RETURN_IF_ERROR(take(before_it, after_it));
  }
  return {};
}

// Compares two trees, folder by folder, and prints each difference at once.
class Comparer {
 public:
  Comparer(Session& session, Repository& repository, bool metadata)
      : session_(session),
        repository_(repository),
        trees_(repository, session.trees_ahead()),
        metadata_(metadata) {}

  Status compare(const BlobId& before, const BlobId& after) {
    before_.emplace(BlobType::kTree, before);
    after_.emplace(BlobType::kTree, after);
    return compare_folders("/", before, after);
  }

  void finish() {
    count_blobs(before_, after_, removed);
    count_blobs(after_, before_, added);
  }

  std::uint64_t changed_files = 0;
  Change added;
  Change removed;

 private:
  Status compare_folders(const std::string& folder, const BlobId& before, const BlobId& after) {
    RETURN_IF_ERROR(session_.go_on());
    ASSIGN_OR_RETURN(const auto old_tree, trees_.load_tree(before));
    ASSIGN_OR_RETURN(const auto new_tree, trees_.load_tree(after));
    announce_changed(*old_tree, *new_tree);
    return for_each_pair(*old_tree, *new_tree, [&](const Node* old_node, const Node* new_node) {
      if (old_node == nullptr) return one_sided('+', folder, *new_node, added, after_);
      if (new_node == nullptr) return one_sided('-', folder, *old_node, removed, before_);
      return compare_nodes(folder, *old_node, *new_node);
    });
  }

  // Announces the trees that compare_folders() will load, in its order.
  void announce_changed(const Tree& before, const Tree& after) {
    std::vector<BlobId> trees;
    const auto add = [&](const Node* node) {
      if (node != nullptr && is_folder(*node)) trees.push_back(*node->subtree);
    };
    static_cast<void>(for_each_pair(before, after, [&](const Node* a, const Node* b) -> Status {
      const bool are_folders = a != nullptr && b != nullptr && is_folder(*a) && is_folder(*b);
      const bool are_same = are_folders && *a->subtree == *b->subtree;
      if (a != nullptr && b != nullptr && !are_folders) return {};
      if (are_same && collected_.contains(*a->subtree)) return {};
      add(a);
      if (!are_same) add(b);
      return {};
    }));
    trees_.announce(std::move(trees));
  }
  void announce_all(const Tree& tree) {
    std::vector<BlobId> trees;
    for (const Node& node : tree.nodes()) {
      if (is_folder(node)) trees.push_back(*node.subtree);
    }
    trees_.announce(std::move(trees));
  }

  Status compare_nodes(const std::string& folder, const Node& before, const Node& after) {
    add_blobs(before, before_);
    add_blobs(after, after_);
    const std::string path = path_of(folder, after, after.type == NodeType::kDirectory);
    if (const std::string mark = mark_of(before, after); !mark.empty()) print(mark, path);
    if (!is_folder(before) || !is_folder(after)) return {};
    if (*before.subtree == *after.subtree) return collect(*before.subtree);
    return or_tell(compare_folders(path, *before.subtree, *after.subtree));
  }

  std::string mark_of(const Node& before, const Node& after) {
    std::string mark;
    if (before.type != after.type) mark += 'T';
    const bool are_files = before.type == NodeType::kFile && after.type == NodeType::kFile;
    if (are_files && !has_same_content(before, after)) {
      mark += 'M';
      ++changed_files;
      Node old_metadata = before;
      Node new_metadata = after;
      old_metadata.content = new_metadata.content = {};
      if (is_same_node(old_metadata, new_metadata)) mark += '?';
    } else if (metadata_ && !is_same_node(before, after)) {
      mark += 'U';
    }
    return mark;
  }

  // Reports a node that exists on one side only, and everything in it.
  Status one_sided(char mark, const std::string& folder, const Node& node, Change& change,
                   BlobSet& blobs) {
    const std::string path = path_of(folder, node, node.type == NodeType::kDirectory);
    add_blobs(node, blobs);
    print(std::string(1, mark), path);
    change.count(node);
    if (!is_folder(node)) return {};
    Result<std::shared_ptr<const Tree>> tree = trees_.load_tree(*node.subtree);
    if (!tree) return or_tell(std::move(tree).error());
    announce_all(**tree);
    for (const Node& child : (*tree)->nodes()) {
      RETURN_IF_ERROR(session_.go_on());
      RETURN_IF_ERROR(one_sided(mark, path, child, change, blobs));
    }
    return {};
  }

  // Collects the blobs of a folder that is the same on both sides: they do not count as added or
  // removed, even if other files use them too.
  Status collect(const BlobId& id) {
    if (!collected_.insert(id).second) return {};
    Status walked = walk_tree(
        trees_, id,
        {.node = [&](const BlobId&, const std::string&, const Node& node) -> Result<Descend> {
           add_blobs(node, common_);
           const bool is_new = is_folder(node) && collected_.insert(*node.subtree).second;
           return is_new ? Descend::kYes : Descend::kNo;
         },
         .expects = [&](const std::string&,
                        const Node& folder) { return !collected_.contains(*folder.subtree); }});
    return or_tell(std::move(walked));
  }

  // Prints an error about damage instead of returning it, so that the comparison goes on.
  Status or_tell(Status status) {
    if (status || status.error().kind() != ErrorKind::kCorrupt) return status;
    session_.io().err_line("error: " + status.error().message());
    return {};
  }

  void print(const std::string& mark, const std::string& path) {
    if (session_.options().json && session_.options().verbosity > 0) {
      JsonWriter json;
      json.begin_object().key("message_type").text("change").key("path").text(path);
      json.key("modifier").text(mark).end_object();
      session_.io().out_line(json.json());
    } else if (session_.options().verbosity > 0) {
      session_.io().out_line(fmt::format("{:<5}{}", mark, path));
    }
  }

  void count_blobs(const BlobSet& of, const BlobSet& without, Change& change) {
    for (const auto& blob : of) {
      if (without.contains(blob) || common_.contains(blob)) continue;
      const auto& [type, id] = blob;
      ++(type == BlobType::kData ? change.data_blobs : change.tree_blobs);
      if (const auto size = repository_.blob_size(type, id)) {
        change.bytes += *size;
      } else {
        session_.io().err_line(
            fmt::format("unable to find blob size for <{}/{}>", to_string(type), id.short_hex()));
      }
    }
  }

  Session& session_;
  Repository& repository_;
  TreesAhead trees_;
  const bool metadata_;
  BlobSet before_;
  BlobSet after_;
  BlobSet common_;
  std::set<BlobId> collected_;
};

void append_change(JsonWriter& json, const Change& change) {
  json.begin_object().key("files").number(change.files).key("dirs").number(change.dirs);
  json.key("others").number(change.others).key("data_blobs").number(change.data_blobs);
  json.key("tree_blobs").number(change.tree_blobs).key("bytes").number(change.bytes).end_object();
}

std::string json_of(const Comparer& comparer, const std::vector<std::string>& words) {
  JsonWriter json;
  json.begin_object().key("message_type").text("statistics");
  json.key("source_snapshot").text(words[0]).key("target_snapshot").text(words[1]);
  json.key("changed_files").number(comparer.changed_files).key("added");
  append_change(json, comparer.added);
  json.key("removed");
  append_change(json, comparer.removed);
  json.end_object();
  return json.json() + "\n";
}

std::string text_of(const Comparer& comparer) {
  const Change& added = comparer.added;
  const Change& removed = comparer.removed;
  return fmt::format(
      "\nFiles:       {:5} new, {:5} removed, {:5} changed\n"
      "Dirs:        {:5} new, {:5} removed\nOthers:      {:5} new, {:5} removed\n"
      "Data Blobs:  {:5} new, {:5} removed\nTree Blobs:  {:5} new, {:5} removed\n"
      "  Added:   {:<5}\n  Removed: {:<5}\n",
      added.files, removed.files, comparer.changed_files, added.dirs, removed.dirs, added.others,
      removed.others, added.data_blobs, removed.data_blobs, added.tree_blobs, removed.tree_blobs,
      format_bytes(added.bytes), format_bytes(removed.bytes));
}

Result<BlobId> root_of(Session& session, Repository& repository, const SelectedSnapshot& selected) {
  return find_subfolder(repository, *selected.snapshot.tree, selected.subfolder,
                        session.patience());
}

Result<ExitCode> run_diff(const DiffOptions& options, Session& session) {
  if (options.words.size() != 2) return Error(ErrorKind::kInvalid, "specify two snapshot IDs");
  ASSIGN_OR_RETURN(Repository* const repository, session.open_with_index(Locking::kShared));
  ASSIGN_OR_RETURN(const SelectedSnapshot before,
                   select_by_id(*repository, options.words[0], session.patience()));
  ASSIGN_OR_RETURN(const SelectedSnapshot after,
                   select_by_id(*repository, options.words[1], session.patience()));
  if (!session.options().json && session.options().verbosity > 0) {
    session.io().out(fmt::format("comparing snapshot {} to {}:\n\n", before.snapshot.id.short_hex(),
                                 after.snapshot.id.short_hex()));
  }
  ASSIGN_OR_RETURN(const BlobId old_root, root_of(session, *repository, before));
  ASSIGN_OR_RETURN(const BlobId new_root, root_of(session, *repository, after));
  Comparer comparer(session, *repository, options.metadata);
  RETURN_IF_ERROR(comparer.compare(old_root, new_root));
  comparer.finish();
  session.io().out(session.options().json ? json_of(comparer, options.words) : text_of(comparer));
  return ExitCode::kSuccess;
}

}  // namespace

Run declare_diff(CLI::App& app) {
  const auto options = std::make_shared<DiffOptions>();
  add_arguments(app, "snapshot", options->words,
                "The two snapshots, or folders SNAPSHOT:SUBFOLDER");
  add_flag(app, "--metadata", options->metadata, "Also where only modes, owners or times differ");
  return [options](Session& session) { return run_diff(*options, session); };
}

}  // namespace restree
