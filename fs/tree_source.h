// Parsed trees, remembered while they are in use.
#pragma once

#include <cstddef>

#include "repo/base/loading_cache.h"
#include "repo/blob_source.h"
#include "repo/format/tree.h"

namespace restree {

// Ownership: the blob source must outlive it. A tree that was handed out stays valid.
// Threads:   any.
// Limits:    `budget_bytes` of parsed trees.
// Errors:    those of BlobSource::load, and kCorrupt for a blob that is not a tree.
class TreeSource {
 public:
  TreeSource(BlobSource& blobs, std::size_t budget_bytes);

  Result<SharedTree> load(const BlobId& id, Deadline by);
  // Only what is in memory: for log lines, which must not wait for the network. May be null.
  SharedTree peek(const BlobId& id) const { return trees_.peek(id); }

 private:
  BlobSource& blobs_;
  LoadingCache<BlobId, Tree> trees_;
};

}  // namespace restree
