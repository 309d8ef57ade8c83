// A directory whose tree is being built by several threads. Trees are finished from the bottom up.
//
// Ownership: keeps its parent directory, which waits for its tree, alive; and owns the descriptor
//            through which its entries are opened.
// Threads:   each slot of `nodes` is written by one thread; the thread that brings `unfinished` to
//            zero then has all slots to itself.
// Limits:    one for each unfinished directory.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/archiver/source_node.h"
#include "repo/archiver/target_tree.h"
#include "repo/base/unique_fd.h"
#include "repo/format/tree.h"

namespace restree {

struct FolderWork {
  struct Entry {
    std::string name;          // in the tree
    const TargetNode* target;  // null for an entry found inside a target
  };

  std::shared_ptr<FolderWork> parent;  // null for the root
  std::size_t slot = 0;                // index of its node in the parent's `nodes`
  std::string source_path;             // absolute; empty for the root
  std::string snapshot_path;           // "/…"; empty for the root
  SourcePlace place{};                 // where to open it
  const TargetNode* target = nullptr;  // set if it is a target, or above one

  UniqueFd fd;
  SourceNode own;                             // its node; the subtree is set when it is finished
  std::shared_ptr<const Tree> before;         // its tree in the previous backup; may be null
  std::shared_ptr<const Tree> parent_before;  // keeps own_before alive
  const Node* own_before = nullptr;
  std::chrono::steady_clock::time_point begun;

  std::vector<Entry> entries;                    // sorted by name
  std::vector<std::optional<SourceNode>> nodes;  // by entry; nullopt for one that is left out
  std::atomic<std::size_t> unfinished = 0;

  // Where to open an entry, and its path for messages.
  SourcePlace place_of(const Entry& entry) const;
  std::string source_path_of(const Entry& entry) const;
  std::string snapshot_path_of(const Entry& entry) const {
    return snapshot_path + "/" + entry.name;
  }
};

}  // namespace restree
