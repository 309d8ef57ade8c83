#include "repo/checker/hit_trees.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "repo/tree_loading.h"

namespace restree {
namespace {

std::uint64_t saturated_sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

bool has_no_tree(const Node& folder) { return !folder.subtree || folder.subtree->is_null(); }

}  // namespace

std::uint32_t HitTrees::number_of(const BlobId& tree, std::vector<BlobId>& waiting) {
  const auto next = static_cast<std::uint32_t>(found_.size());
  const auto [at, is_new] = numbers_.try_emplace(tree, next);
  if (is_new) {
    found_.emplace_back();
    waiting.push_back(tree);
  }
  return at->second;
}

Status HitTrees::walk(const std::vector<BlobId>& roots) {
  std::vector<BlobId> waiting;
  {
    const MutexLock lock(mutex_);
    for (const BlobId& root : roots) number_of(root, waiting);
  }
  while (!waiting.empty()) {
    // The trees found last are read first (depth before breadth), so that few trees wait.
    const std::size_t count = std::min(kBatch, waiting.size());
    const std::vector<BlobId> batch(waiting.end() - static_cast<std::ptrdiff_t>(count),
                                    waiting.end());
    waiting.resize(waiting.size() - count);
    BulkLoader loader(repository_, BlobType::kTree, bulk_);
    for (const BlobId& id : batch) loader.want(id, 0);
    const Status read =
        loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
          look_at(*uses[0].id, blob, waiting);
          return {};
        });
    RETURN_IF_ERROR(read);
  }
  sum_up();
  return {};
}

bool HitTrees::is_hit(const Node& file) const {
  return std::ranges::any_of(
      file.content, [&](const BlobId& id) { return damage_.is_lost(BlobType::kData, id); });
}

void HitTrees::look_at(const BlobId& id, const Result<ByteView>& blob,
                       std::vector<BlobId>& waiting) {
  // One that a cache has is lost all the same.
  Result<SharedTree> tree = Error(ErrorKind::kCorrupt, "lost");
  if (blob && !damage_.is_lost(BlobType::kTree, id)) tree = Tree::parse(*blob);
  std::uint64_t hits = 0;
  if (tree) {
    for (const Node& node : (*tree)->nodes()) {
      const bool is_folder = node.type == NodeType::kDirectory;
      if (is_folder ? has_no_tree(node) : is_hit(node)) ++hits;
    }
  }
  const MutexLock lock(mutex_);
  const std::uint32_t number = numbers_.at(id);
  if (!tree) {
    found_[number].is_lost = true;
    found_[number].hits = 1;
    return;
  }
  std::vector<std::uint32_t> folders;
  if (const auto stand_in = (*tree)->stand_in()) {
    hits = 0;
    folders.push_back(number_of(*stand_in, waiting));
  } else {
    for (const Node& node : (*tree)->nodes()) {
      if (node.type != NodeType::kDirectory || has_no_tree(node)) continue;
      folders.push_back(number_of(*node.subtree, waiting));
    }
  }
  found_[number].hits = hits;
  found_[number].folders = std::move(folders);
}

void HitTrees::sum_up() {
  const MutexLock lock(mutex_);
  // Depth first, without recursion: a tree may be as deep as a repository claims.
  std::vector<bool> done(found_.size());
  std::vector<std::uint32_t> next(found_.size());  // the folder to go on with
  for (std::uint32_t start = 0; start < found_.size(); ++start) {
    std::vector<std::uint32_t> path{start};
    while (!path.empty()) {
      Found& tree = found_[path.back()];
      std::uint32_t& folder = next[path.back()];
      if (done[path.back()]) {
        path.pop_back();
      } else if (folder == tree.folders.size()) {
        for (const std::uint32_t below : tree.folders) {
          tree.hits = saturated_sum(tree.hits, found_[below].hits);
        }
        done[path.back()] = true;
        path.pop_back();
      } else {
        path.push_back(tree.folders[folder++]);
      }
    }
  }
}

std::uint64_t HitTrees::hits(const BlobId& tree) const {
  const MutexLock lock(mutex_);
  const auto number = numbers_.find(tree);
  return number == numbers_.end() ? 0 : found_[number->second].hits;
}

Result<std::vector<std::string>> HitTrees::list(const BlobId& root, std::size_t most) {
  struct Level {
    SharedTree tree;
    std::size_t next = 0;
    std::string path;  // with a slash at its end
  };
  const auto is_lost = [&](const BlobId& tree) {
    const MutexLock lock(mutex_);
    return found_[numbers_.at(tree)].is_lost;
  };
  std::vector<std::string> paths;
  if (hits(root) == 0 || most == 0) return paths;
  if (is_lost(root)) return std::vector<std::string>{"/"};
  std::vector<Level> levels;
  const auto enter = [&](const BlobId& tree, std::string path) -> Status {
    ASSIGN_OR_RETURN(SharedTree loaded,
                     load_tree(repository_, tree, Deadline::after(bulk_.patience)));
    levels.push_back({std::move(loaded), 0, std::move(path)});
    return {};
  };
  RETURN_IF_ERROR(enter(root, "/"));
  while (!levels.empty() && paths.size() < most) {
    if (bulk_.stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
    Level& level = levels.back();
    if (level.next == level.tree->nodes().size()) {
      levels.pop_back();
      continue;
    }
    const Node& node = level.tree->nodes()[level.next++];
    std::string path = level.path + std::string(node.name);
    if (node.type != NodeType::kDirectory) {
      if (is_hit(node)) paths.push_back(std::move(path));
    } else if (has_no_tree(node) || is_lost(*node.subtree)) {
      paths.push_back(path + "/");
    } else if (hits(*node.subtree) > 0) {
      const BlobId subtree = *node.subtree;
      RETURN_IF_ERROR(enter(subtree, path + "/"));
    }
  }
  return paths;
}

}  // namespace restree
