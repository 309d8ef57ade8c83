// Parsed trees in their compact form, remembered while they are in use.
#pragma once

#include <cstddef>
#include <memory>

#include "repo/base/loading_cache.h"
#include "repo/base/outages.h"
#include "repo/blob_source.h"
#include "repo/format/compact_tree.h"

namespace restree {

// Ownership: the blob source must outlive it. A tree that was handed out stays valid.
// Threads:   any.
// Limits:    `budget_bytes` of trees. A tree that is in use stays, whatever it weighs: the kernel
//            asks for a folder's entries one by one, and the folder may have a million. All readers
//            share it.
// Errors:    those of BlobSource::load, and kCorrupt for a blob that is not a tree.
class TreeSource {
 public:
  // `outages` of that source; nullptr: nobody counts them.
  TreeSource(BlobSource& blobs, std::size_t budget_bytes,
             std::shared_ptr<const Outages> outages = nullptr);

  Result<SharedCompactTree> load(const BlobId& id, Deadline by);
  // Only what is in memory: for log lines, which must not wait for the network. May be null.
  SharedCompactTree peek(const BlobId& id) const { return trees_.peek(id); }

 private:
  BlobSource& blobs_;
  LoadingCache<BlobId, CompactTree> trees_;
};

}  // namespace restree
