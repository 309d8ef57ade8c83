#include "repo/trees/tree_comparison.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "repo/format/tree.h"
#include "repo/trees/node_pairs.h"
#include "repo/trees/tree_walk.h"

namespace restree {
namespace {

using BlobSet = std::set<std::pair<BlobType, BlobId>>;

constexpr EntryChange kAdded{.added = true};
constexpr EntryChange kRemoved{.removed = true};

void add_blobs(const Node& node, BlobSet& set) {
  for (const BlobId& id : node.content) set.emplace(BlobType::kData, id);
  if (node.subtree) set.emplace(BlobType::kTree, *node.subtree);
}

std::string path_in(const std::string& folder, const Node& node, bool ends_in_slash) {
  return fmt::format("{}{}{}", folder, node.name, ends_in_slash ? "/" : "");
}

void count(const Node& node, OneSidedFigures& figures) {
  if (node.type == NodeType::kFile) {
    ++figures.files;
  } else if (node.type == NodeType::kDirectory) {
    ++figures.dirs;
  } else {
    ++figures.others;
  }
}

class TreeComparison {
 public:
  TreeComparison(Repository& repository, Metadata metadata, TreesAheadOptions options,
                 const ComparisonListener& listener)
      : repository_(repository),
        trees_(repository, std::move(options)),
        metadata_(metadata),
        listener_(listener) {}

  Result<ComparisonFigures> run(const BlobId& before, const BlobId& after) {
    before_.emplace(BlobType::kTree, before);
    after_.emplace(BlobType::kTree, after);
    RETURN_IF_ERROR(compare_folders("/", before, after));
    count_blobs(before_, after_, figures_.removed);
    count_blobs(after_, before_, figures_.added);
    return figures_;
  }

 private:
  Status compare_folders(const std::string& folder, const BlobId& before, const BlobId& after) {
    RETURN_IF_ERROR(trees_.go_on());
    ASSIGN_OR_RETURN(const auto old_tree, trees_.load_tree(before));
    ASSIGN_OR_RETURN(const auto new_tree, trees_.load_tree(after));
    announce_changed(*old_tree, *new_tree);
    return for_each_pair(*old_tree, *new_tree, [&](const Node* old_node, const Node* new_node) {
      if (old_node == nullptr) return one_sided(kAdded, folder, *new_node, figures_.added, after_);
      if (new_node == nullptr) {
        return one_sided(kRemoved, folder, *old_node, figures_.removed, before_);
      }
      return compare_nodes(folder, *old_node, *new_node);
    });
  }

  // Announces the trees that compare_folders() will load, in its order.
  void announce_changed(const Tree& before, const Tree& after) {
    std::vector<BlobId> trees;
    const auto add = [&](const BlobId* tree) {
      if (tree != nullptr) trees.push_back(*tree);
    };
    static_cast<void>(for_each_pair(before, after, [&](const Node* a, const Node* b) -> Status {
      const BlobId* const old_tree = a != nullptr ? folder_tree(*a) : nullptr;
      const BlobId* const new_tree = b != nullptr ? folder_tree(*b) : nullptr;
      const bool are_folders = old_tree != nullptr && new_tree != nullptr;
      const bool are_same = are_folders && *old_tree == *new_tree;
      if (a != nullptr && b != nullptr && !are_folders) return {};
      if (are_same && collected_.contains(*old_tree)) return {};
      add(old_tree);
      if (!are_same) add(new_tree);
      return {};
    }));
    trees_.announce(std::move(trees));
  }
  void announce_all(const Tree& tree) {
    std::vector<BlobId> trees;
    for (const Node& node : tree.nodes()) {
      if (const BlobId* const tree_below = folder_tree(node)) trees.push_back(*tree_below);
    }
    trees_.announce(std::move(trees));
  }

  Status compare_nodes(const std::string& folder, const Node& before, const Node& after) {
    add_blobs(before, before_);
    add_blobs(after, after_);
    const std::string path = path_in(folder, after, after.type == NodeType::kDirectory);
    const EntryChange change = change_of(before, after);
    if (change.type || change.content || change.metadata) report(path, change);
    const BlobId* const old_tree = folder_tree(before);
    const BlobId* const new_tree = folder_tree(after);
    if (old_tree == nullptr || new_tree == nullptr) return {};
    if (*old_tree == *new_tree) return collect(*old_tree);
    return or_report(compare_folders(path, *old_tree, *new_tree));
  }

  EntryChange change_of(const Node& before, const Node& after) {
    EntryChange change{.type = before.type != after.type};
    const bool are_files = before.type == NodeType::kFile && after.type == NodeType::kFile;
    if (are_files && !has_same_content(before, after)) {
      ++figures_.changed_files;
      Node old_metadata = before;
      Node new_metadata = after;
      old_metadata.content = new_metadata.content = {};
      change.content = true;
      change.content_alone = is_same_node(old_metadata, new_metadata);
    } else if (metadata_ == Metadata::kCompared) {
      change.metadata = !is_same_node(before, after);
    }
    return change;
  }

  // Reports a node that exists on one side only, and everything in it.
  Status one_sided(const EntryChange& change, const std::string& folder, const Node& node,
                   OneSidedFigures& figures, BlobSet& blobs) {
    const std::string path = path_in(folder, node, node.type == NodeType::kDirectory);
    add_blobs(node, blobs);
    report(path, change);
    count(node, figures);
    const BlobId* const id = folder_tree(node);
    if (id == nullptr) return {};
    Result<SharedTree> tree = trees_.load_tree(*id);
    if (!tree) return or_report(std::move(tree).error());
    announce_all(**tree);
    for (const Node& child : (*tree)->nodes()) {
      RETURN_IF_ERROR(trees_.go_on());
      RETURN_IF_ERROR(one_sided(change, path, child, figures, blobs));
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
           const BlobId* const below = folder_tree(node);
           const bool is_new = below != nullptr && collected_.insert(*below).second;
           return is_new ? Descend::kYes : Descend::kNo;
         },
         .expects = [&](const std::string&,
                        const Node& folder) { return !collected_.contains(*folder.subtree); }});
    return or_report(std::move(walked));
  }

  // Reports damage instead of returning it, so that the comparison goes on.
  Status or_report(Status status) {
    if (status || status.error().kind() != ErrorKind::kCorrupt || !listener_.damaged) return status;
    listener_.damaged(status.error());
    return {};
  }

  void report(const std::string& path, const EntryChange& change) {
    if (listener_.change) listener_.change(path, change);
  }

  void count_blobs(const BlobSet& of, const BlobSet& without, OneSidedFigures& figures) {
    for (const auto& blob : of) {
      if (without.contains(blob) || common_.contains(blob)) continue;
      const auto& [type, id] = blob;
      ++(type == BlobType::kData ? figures.data_blobs : figures.tree_blobs);
      if (const auto size = repository_.blob_size(type, id)) {
        figures.bytes += *size;
      } else if (listener_.unknown_size) {
        listener_.unknown_size(type, id);
      }
    }
  }

  Repository& repository_;
  TreesAhead trees_;
  const Metadata metadata_;
  const ComparisonListener& listener_;
  ComparisonFigures figures_;
  BlobSet before_;
  BlobSet after_;
  BlobSet common_;              // of folders that are the same on both sides
  std::set<BlobId> collected_;  // these folders
};

}  // namespace

Result<ComparisonFigures> compare_trees(Repository& repository, const BlobId& before,
                                        const BlobId& after, Metadata metadata,
                                        TreesAheadOptions options,
                                        const ComparisonListener& listener) {
  return TreeComparison(repository, metadata, std::move(options), listener).run(before, after);
}

}  // namespace restree
