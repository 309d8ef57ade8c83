// Checks that everything the snapshots refer to exists: each tree is read once, and each blob that
// a file names is looked up in the index.
//
// Threads: one calls; several read trees.
// Limits:  a bit for each blob of the index; the ids of the trees that are still to be read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/checker/check_report.h"
#include "repo/checker/damage.h"
#include "repo/format/tree.h"
#include "repo/repository.h"

namespace restree {

class CheckedTrees {
 public:
  // `track_data`: also note which data blobs are in use.
  CheckedTrees(Repository& repository, std::shared_ptr<const Index> index, bool track_data,
               CheckListener& listener, CheckFindings& findings, Damage& damage)
      : repository_(repository),
        index_(std::move(index)),
        track_data_(track_data),
        listener_(listener),
        findings_(findings),
        damage_(damage),
        used_(index_->blob_count()) {}

  // Checks these trees and everything below them. Errors: those of BulkLoader.
  Status check(const std::vector<BlobId>& roots, const BulkOptions& bulk);
  // The numbers in the index of the packs that should hold the trees which cannot be loaded.
  std::set<std::uint32_t> packs_of_unreadable() const {
    const MutexLock lock(mutex_);
    return packs_of_unreadable_;
  }
  // Which blobs are in use, by the position of the blob's first entry in the index.
  std::vector<bool> used() const {
    const MutexLock lock(mutex_);
    return used_;
  }

 private:
  static constexpr std::size_t kBatch = 4096;

  bool is_new(const BlobId& tree) REQUIRES(mutex_);
  void check_tree(const BlobId& id, const Result<ByteView>& blob, std::vector<BlobId>& found)
      EXCLUDES(mutex_);
  void note_packs_of(const BlobId& tree) REQUIRES(mutex_);
  void check_node(const BlobId& tree, const Node& node, std::vector<BlobId>& found,
                  std::vector<std::string>& wrong) EXCLUDES(mutex_);
  void check_content(const BlobId& tree, const Node& node, std::vector<std::string>& wrong)
      EXCLUDES(mutex_);

  Repository& repository_;
  const std::shared_ptr<const Index> index_;
  const bool track_data_;
  mutable Mutex mutex_;
  CheckListener& listener_ GUARDED_BY(mutex_);
  CheckFindings& findings_ GUARDED_BY(mutex_);
  Damage& damage_ GUARDED_BY(mutex_);
  std::vector<bool> used_ GUARDED_BY(mutex_);
  std::set<std::uint32_t> packs_of_unreadable_ GUARDED_BY(mutex_);
  std::vector<BlobId> unknown_ GUARDED_BY(mutex_);  // in no index, and reported already
};

}  // namespace restree
