#include "fs/known_nodes.h"

namespace restree {
namespace {

bool is_shown_the_same(const VirtualNode& a, const VirtualNode& b) {
  return a.snapshot == b.snapshot && a.target == b.target && a.path == b.path && a.time == b.time;
}

}  // namespace

void KnownNodes::remember(const VirtualNode& node) {
  // Of the directories above the snapshots; that of a snapshot is of the kind kSnapshot.
  if (node.kind == VirtualNode::Kind::kDirectory) return;
  auto nodes = nodes_.lock();
  Known& known = (*nodes)[node.inode];
  ++known.lookups;
  if (known.node != nullptr && is_shown_the_same(*known.node, node)) return;
  known.node = std::make_shared<const VirtualNode>(node);
}

std::shared_ptr<const VirtualNode> KnownNodes::find(std::uint64_t inode) const {
  auto nodes = nodes_.lock();
  const auto found = nodes->find(inode);
  return found == nodes->end() ? nullptr : found->second.node;
}

void KnownNodes::forget(std::uint64_t inode, std::uint64_t count) {
  auto nodes = nodes_.lock();
  const auto found = nodes->find(inode);
  if (found == nodes->end()) return;
  if (count < found->second.lookups) {
    found->second.lookups -= count;
    return;
  }
  nodes->erase(found);
}

}  // namespace restree
