#include "repo/trees/tree_walk.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

namespace restree {
namespace {

// A folder on the path from the root to the current position.
struct Level {
  BlobId id;
  SharedTree tree;
  std::string path;  // "" for the root
  std::size_t next = 0;
};

class Walk {
 public:
  Walk(TreesAhead& trees, const TreeVisitor& visitor) : trees_(trees), visitor_(visitor) {}

  Status run(const BlobId& root) {
    RETURN_IF_ERROR(enter(root, ""));
    while (!levels_.empty()) {
      RETURN_IF_ERROR(trees_.go_on());
      Level& level = levels_.back();
      if (level.next < level.tree->nodes().size()) {
        RETURN_IF_ERROR(visit(level));
      } else {
        const std::string path = std::move(level.path);
        levels_.pop_back();
        if (visitor_.leave && !levels_.empty()) RETURN_IF_ERROR(visitor_.leave(path));
      }
    }
    return {};
  }

 private:
  Status visit(Level& level) {
    const Node& node = level.tree->nodes()[level.next++];
    const std::string path = fmt::format("{}/{}", level.path, node.name);
    ASSIGN_OR_RETURN(const Descend descend, visitor_.node(level.id, path, node));
    if (node.type != NodeType::kDirectory || descend == Descend::kNo) return {};
    if (!node.subtree) {
      return Error(ErrorKind::kCorrupt,
                   fmt::format("{}: the folder has no subtree, in tree {}", path, level.id.hex()));
    }
    return enter(*node.subtree, path);
  }

  Status enter(const BlobId& id, std::string path) {
    Result<SharedTree> tree = trees_.load_tree(id);
    if (tree) {
      announce_folders(**tree, path);
      levels_.push_back({id, std::move(*tree), std::move(path)});
      return {};
    }
    const bool damaged = tree.error().kind() == ErrorKind::kCorrupt;
    if (damaged && visitor_.unreadable) return visitor_.unreadable(id, tree.error());
    return std::move(tree).error();
  }

  void announce_folders(const Tree& tree, const std::string& path) {
    std::vector<BlobId> folders;
    for (const Node& node : tree.nodes()) {
      if (node.type != NodeType::kDirectory || !node.subtree) continue;
      if (visitor_.expects && !visitor_.expects(fmt::format("{}/{}", path, node.name), node)) {
        continue;
      }
      folders.push_back(*node.subtree);
    }
    trees_.announce(std::move(folders));
  }

  TreesAhead& trees_;
  const TreeVisitor& visitor_;
  std::vector<Level> levels_;
};

}  // namespace

Status walk_tree(TreesAhead& trees, const BlobId& root, const TreeVisitor& visitor) {
  const std::size_t before = trees.announcements();
  Status walked = Walk(trees, visitor).run(root);
  trees.forget_since(before);
  return walked;
}

}  // namespace restree
