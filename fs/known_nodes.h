// The snapshots' directories and links that the kernel holds, as they were shown last.
//
// A namespace is replaced when the snapshots change, but programs may be in directories that are no
// longer in it, and links may lead one process elsewhere than the newest namespace says. Nodes to
// which the kernel still has references are found here.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "fs/namespace.h"
#include "repo/base/guarded.h"

namespace restree {

// Ownership: a copy of each node; the snapshot itself is shared.
// Threads:   any.
// Limits:    what the kernel holds; freed as it forgets.
class KnownNodes {
 public:
  // Counts one more reference, which the kernel gets to the node, and keeps this state of the node.
  // Directories above the snapshots are not kept: their entries come from the namespace, so once it
  // no longer has them, there is nothing to show.
  void remember(const VirtualNode& node);
  // nullptr: the kernel does not hold it, or it is not one of those that are kept.
  std::shared_ptr<const VirtualNode> find(std::uint64_t inode) const;
  // The kernel drops `count` references.
  void forget(std::uint64_t inode, std::uint64_t count);

  std::size_t size() const { return nodes_.lock()->size(); }

 private:
  struct Known {
    std::shared_ptr<const VirtualNode> node;
    std::uint64_t lookups = 0;  // references that the kernel holds
  };
  Guarded<std::unordered_map<std::uint64_t, Known>> nodes_;
};

}  // namespace restree
