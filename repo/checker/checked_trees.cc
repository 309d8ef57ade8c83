#include "repo/checker/checked_trees.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <iterator>

#include "repo/base/log.h"
#include "repo/base/restic_words.h"

namespace restree {

bool CheckedTrees::is_new(const BlobId& tree) {
  const auto position = index_->position(BlobType::kTree, tree);
  if (!position) {
    if (std::ranges::find(unknown_, tree) != unknown_.end()) return false;
    unknown_.push_back(tree);
    return true;
  }
  if (used_[*position]) return false;
  used_[*position] = true;
  return true;
}

Status CheckedTrees::check(const std::vector<BlobId>& roots, const BulkOptions& bulk) {
  std::vector<BlobId> waiting;
  {
    const MutexLock lock(mutex_);
    for (const BlobId& root : roots) {
      if (is_new(root)) waiting.push_back(root);
    }
  }
  while (!waiting.empty()) {
    // The trees found last are read first (depth before breadth), so that few trees wait.
    const std::size_t count = std::min(kBatch, waiting.size());
    const std::vector<BlobId> batch(waiting.end() - static_cast<std::ptrdiff_t>(count),
                                    waiting.end());
    waiting.resize(waiting.size() - count);
    BulkLoader loader(repository_, BlobType::kTree, bulk);
    for (std::uint32_t i = 0; i < batch.size(); ++i) loader.want(batch[i], i);
    const Status status =
        loader.run([&](std::span<const BlobUse> uses, const Result<ByteView>& blob) -> Status {
          std::vector<BlobId> found;
          check_tree(*uses[0].id, blob, found);
          const MutexLock lock(mutex_);
          for (const BlobId& tree : found) {
            if (is_new(tree)) waiting.push_back(tree);
          }
          return {};
        });
    RETURN_IF_ERROR(status);
  }
  return {};
}

void CheckedTrees::check_tree(const BlobId& id, const Result<ByteView>& blob,
                              std::vector<BlobId>& found) {
  std::vector<std::string> wrong;
  Result<std::shared_ptr<const Tree>> tree = nullptr;
  if (blob) {
    tree = Tree::parse(*blob);
  } else {
    tree = blob.error();
  }
  const std::optional<BlobId> stand_in = tree ? (*tree)->stand_in() : std::nullopt;
  if (stand_in) {
    found.push_back(*stand_in);
  } else if (tree) {
    for (const std::string& line : (*tree)->refused()) {
      wrong.push_back(fmt::format("tree {}: {}", id.hex(), line));
    }
    for (const std::string& line : (*tree)->odd()) {
      wrong.push_back(fmt::format("tree {}: {}", id.hex(), line));
    }
    for (const Node& node : (*tree)->nodes()) check_node(id, node, found, wrong);
  } else {
    wrong.push_back(fmt::format("tree {}: {}", id.hex(), tree.error().message()));
  }
  if (wrong.empty()) return;
  std::string text = fmt::format(restic_words::kErrorForTree.text, id.short_hex());
  for (const std::string& line : wrong) text += "\n  " + line;
  const MutexLock lock(mutex_);
  if (!tree) damage_.add_blob(BlobType::kTree, id);
  if (!blob) note_packs_of(id);
  findings_.errors += wrong.size();
  findings_.damaged = true;
  listener_.error(text);
}

void CheckedTrees::note_packs_of(const BlobId& tree) {
  const auto first = index_->position(BlobType::kTree, tree);
  if (!first) return;
  const std::span<const IndexEntry> entries = index_->entries();
  for (std::size_t i = *first; i < entries.size(); ++i) {
    if (entries[i].id != tree || entries[i].type() != BlobType::kTree) return;
    packs_of_unreadable_.insert(entries[i].pack_number());
  }
}

void CheckedTrees::check_node(const BlobId& tree, const Node& node, std::vector<BlobId>& found,
                              std::vector<std::string>& wrong) {
  if (node.type == NodeType::kFile) return check_content(tree, node, wrong);
  if (node.type != NodeType::kDirectory) return;
  if (!node.subtree || node.subtree->is_null()) {
    wrong.push_back(
        fmt::format("tree {}: dir node {} has no subtree", tree.hex(), log::quoted(node.name)));
  } else {
    found.push_back(*node.subtree);
  }
}

void CheckedTrees::check_content(const BlobId& tree, const Node& node,
                                 std::vector<std::string>& wrong) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < node.content.size(); ++i) {
    const auto position = index_->position(BlobType::kData, node.content[i]);
    if (!position) {
      const MutexLock lock(mutex_);
      damage_.add_blob(BlobType::kData, node.content[i]);
    }
    if (position) {
      if (track_data_) positions.push_back(*position);
    } else if (node.content[i].is_null()) {
      wrong.push_back(fmt::format("tree {}: file {} blob {} has null ID", tree.hex(),
                                  log::quoted(node.name), i));
    } else {
      wrong.push_back(fmt::format("tree {}: file {} blob {} not found in index", tree.hex(),
                                  log::quoted(node.name), node.content[i].hex()));
    }
  }
  if (positions.empty()) return;
  const MutexLock lock(mutex_);
  for (const std::size_t position : positions) used_[position] = true;
}

}  // namespace restree
