// The nodes of two trees, name by name.
#pragma once

#include <algorithm>

#include "repo/base/result.h"
#include "repo/format/tree.h"

namespace restree {

// Calls `take` with the nodes of each name in two trees, in the order of names, until it fails; nullptr:
// that tree has no such node.
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

// nullptr: it is not a directory, or damaged.
inline const BlobId* folder_tree(const Node& node) {
  return node.type == NodeType::kDirectory && node.subtree ? &*node.subtree : nullptr;
}

inline bool has_same_content(const Node& a, const Node& b) {
  return a.content.size() == b.content.size() &&
         std::equal(a.content.begin(), a.content.end(), b.content.begin());
}

}  // namespace restree
