// Finds the trees of a repository that no snapshot and no other tree refers to: the roots of snapshots
// that were removed, or that a backup could not finish.
//
// Ownership: the repository must outlive the call.
// Threads:   one calls; several read trees.
// Limits:    33 bytes for each tree of the repository, the index loaded anew, and 16 bytes for each
//            tree that is still to be read.
// Errors:    kCancelled: a stop was requested. Others: those of the storage.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "repo/base/result.h"
#include "repo/bulk/bulk_load.h"
#include "repo/format/id.h"
#include "repo/repository.h"

namespace restree {

struct TreeSearchOptions {
  BulkOptions bulk = {};
  // Before they are read: so many trees are in the index.
  std::function<void(std::size_t trees)> on_begin = {};
  // By several threads: one more of them was read.
  std::function<void()> on_read = {};
  // By several threads: it is damaged or missing, and is no root.
  std::function<void(const BlobId& tree, const Error& why)> on_unreadable = {};
};

// `in_use`: the trees of the snapshots. Returns the others in order. Loads the index.
Result<std::vector<BlobId>> find_unreferenced_trees(Repository& repository,
                                                    const std::vector<BlobId>& in_use,
                                                    const TreeSearchOptions& options);

}  // namespace restree
