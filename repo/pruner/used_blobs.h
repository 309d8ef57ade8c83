// Marks the blobs that snapshots use: walks through their trees, each tree once.
//
// Ownership: shares the index; the repository must outlive it.
// Threads:   one calls; several read trees.
// Limits:    a bit for each entry of the index; the ids of the trees that are still to be read.
// Errors:    of mark(), after which nothing may be removed: kCorrupt: a tree cannot be read, or a blob
//            that a snapshot uses is in no index. Others: those of BulkLoader.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/index/whole_index.h"
#include "repo/repository.h"

namespace restree {

class UsedBlobs {
 public:
  // `used`: what is marked already, with all below it; empty: nothing. Counts up `trees` for each
  // tree that it has read.
  UsedBlobs(Repository& repository, std::shared_ptr<const WholeIndex> index, std::vector<bool> used,
            std::atomic<std::uint64_t>& trees)
      : repository_(repository), index_(std::move(index)), used_(std::move(used)), trees_(trees) {
    const MutexLock lock(mutex_);
    used_.resize(index_->blob_count());
  }

  // Marks these trees and all below them that is not marked yet.
  Status mark(const std::vector<BlobId>& roots, const BulkOptions& bulk);

  // By the position of the blob's first entry in the index. Not while mark() runs.
  std::vector<bool> take() && {
    const MutexLock lock(mutex_);
    return std::move(used_);
  }

 private:
  static constexpr std::size_t kBatch = 4096;

  // Marks the blobs, and returns those that were not marked before.
  std::vector<BlobId> mark_new(BlobType type, std::span<const BlobId> ids) EXCLUDES(mutex_);
  Status mark_below(const BlobId& tree, const Result<ByteView>& blob, std::vector<BlobId>& found);
  Status expect_none_missing() const EXCLUDES(mutex_);

  Repository& repository_;
  const std::shared_ptr<const WholeIndex> index_;
  mutable Mutex mutex_;
  std::vector<bool> used_ GUARDED_BY(mutex_);
  // In use, but in no index. The first ones, in order.
  std::set<std::pair<BlobType, BlobId>> missing_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t>& trees_;
};

// The same marks for another index of the repository. kCorrupt: it lacks a blob that is marked.
Result<std::vector<bool>> move_marks(const std::vector<bool>& used, const WholeIndex& from,
                                     const WholeIndex& to);

}  // namespace restree
