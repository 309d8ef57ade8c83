#include "fs/snapshot_view.h"

#include <span>
#include <utility>
#include <vector>

namespace restree {
namespace {

// How far a way down along path components has led, and to what.
struct Descent {
  std::size_t steps = 0;
  BlobId tree;
  std::optional<SnapshotView::OwnNode> own;
  std::string path;
};

// Follows `way` from the root tree. nullopt: the tree does not have this way. A last component that
// is not a folder (the target was one file) ends the way in the folder above it.
Result<std::optional<Descent>> follow(TreeSource& trees, const BlobId& root,
                                      std::span<const std::string> way, Deadline by) {
  Descent reached;
  reached.tree = root;
  for (std::size_t i = 0; i < way.size(); ++i) {
    ASSIGN_OR_RETURN(const SharedCompactTree tree, trees.load(reached.tree, by));
    const std::optional<std::uint32_t> position = tree->find(way[i]);
    if (!position) return std::nullopt;
    const Node node = tree->nodes()[*position];
    if (node.type != NodeType::kDirectory) {
      if (i + 1 < way.size()) return std::nullopt;
      break;
    }
    // This folder holds more than the way to the targets: stop here, so that all of it is shown.
    if (tree->nodes().size() > 1 || !node.subtree) break;
    reached.steps = i + 1;
    reached.tree = *node.subtree;
    reached.own = SnapshotView::OwnNode{tree, node};
    reached.path += '/';
    reached.path += way[i];
  }
  return std::optional(std::move(reached));
}

}  // namespace

Result<SnapshotView> open_view(TreeSource& trees, std::shared_ptr<const Snapshot> snapshot,
                               bool without_leading_path, Deadline by) {
  SnapshotView view{};
  view.tree = snapshot->tree;
  if (without_leading_path) {
    const std::vector<std::string> folder = common_folder(snapshot->paths);
    // If the way to the targets does not begin in the root tree, that is not "/".
    view.is_of_unknown_folder = !folder.empty();
    for (std::size_t skipped = 0; skipped < folder.size(); ++skipped) {
      ASSIGN_OR_RETURN(std::optional<Descent> reached,
                       follow(trees, snapshot->tree, std::span(folder).subspan(skipped), by));
      if (!reached) continue;
      view.is_of_unknown_folder = skipped > 0 && !reached->own;
      view.tree = reached->tree;
      view.own = std::move(reached->own);
      view.stripped_path = std::move(reached->path);
      break;
    }
  }
  view.snapshot = std::move(snapshot);
  return view;
}

Result<std::uint32_t> SnapshotViews::number_of(const VirtualNode& directory, Deadline by) {
  {
    auto opened = opened_.lock();
    const auto found = opened->by_directory.find(directory.inode);
    if (found != opened->by_directory.end()) return found->second;
  }
  ASSIGN_OR_RETURN(SnapshotView view,
                   open_view(trees_, directory.snapshot, directory.without_leading_path, by));
  view.path = directory.path;
  view.root_inode = directory.inode;

  auto opened = opened_.lock();
  const auto [place, is_new] =
      opened->by_directory.emplace(directory.inode, static_cast<std::uint32_t>(opened->all.size()));
  if (is_new) opened->all.push_back(std::make_shared<const SnapshotView>(std::move(view)));
  return place->second;
}

std::shared_ptr<const SnapshotView> SnapshotViews::at(std::uint32_t number) const {
  return opened_.lock()->all[number];
}

}  // namespace restree
