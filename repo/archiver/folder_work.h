// A directory whose tree is being put together, by several threads, from the bottom up.
//
// Ownership: each keeps the one above it alive, which waits for its tree; and its descriptor, which
//            its entries are opened by.
// Threads:   the slots of `nodes` are each written by one thread; the thread that brings
//            `unfinished` to zero has all of them to itself.
// Limits:    one for each directory that is begun and not done.
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
    const TargetNode* target;  // null for what was found inside a target
  };

  std::shared_ptr<FolderWork> parent;  // null for the root
  std::size_t slot = 0;                // where the parent wants its node
  std::string source_path;             // absolute; empty for the root
  std::string snapshot_path;           // "/…"; empty for the root
  SourcePlace place{};                 // where to open it
  const TargetNode* target = nullptr;  // if it is a target, or on the way to one

  UniqueFd fd;
  SourceNode own;                             // its node, without its subtree until it is done
  std::shared_ptr<const Tree> before;         // what it held in the backup before; may be null
  std::shared_ptr<const Tree> parent_before;  // keeps own_before alive
  const Node* own_before = nullptr;
  std::chrono::steady_clock::time_point begun;

  std::vector<Entry> entries;                    // sorted by name
  std::vector<std::optional<SourceNode>> nodes;  // by entry; none for what is left out
  std::atomic<std::size_t> unfinished = 0;

  // How to reach an entry, and what messages call it.
  SourcePlace place_of(const Entry& entry) const;
  std::string source_path_of(const Entry& entry) const;
  std::string snapshot_path_of(const Entry& entry) const {
    return snapshot_path + "/" + entry.name;
  }
};

}  // namespace restree
