// Finds the files and folders that need what is lost: each tree is read once.
//
// Ownership: the repository and the damage, which must not change meanwhile, must outlive it.
// Threads:   one calls; several read trees.
// Limits:    60 bytes for each tree, and 4 for each folder in it.
// Errors:    kCancelled, and those of the storage. A tree that cannot be read is not one: it counts
//            as lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/bulk/bulk_load.h"
#include "repo/checker/damage.h"
#include "repo/format/tree.h"
#include "repo/repository.h"

namespace restree {

class HitTrees {
 public:
  HitTrees(Repository& repository, const Damage& damage, BulkOptions bulk)
      : repository_(repository), damage_(damage), bulk_(std::move(bulk)) {}

  // Reads these trees and all below them. Must be called once, first.
  Status walk(const std::vector<BlobId>& roots);
  // How many paths below this tree are hit, one of those trees; 2^64-1 also stands for more. A folder
  // whose tree is lost is one path.
  std::uint64_t hits(const BlobId& tree) const;
  // The first `most` of them, in the order of names; a folder ends with a slash.
  Result<std::vector<std::string>> list(const BlobId& tree, std::size_t most);

 private:
  static constexpr std::size_t kBatch = 4096;

  struct Found {
    std::uint64_t hits = 0;              // entries that are hit themselves; later all below
    std::vector<std::uint32_t> folders;  // the numbers of their trees
    bool is_lost = false;
  };

  // The number of a tree, which is put into `waiting` if it is new.
  std::uint32_t number_of(const BlobId& tree, std::vector<BlobId>& waiting) REQUIRES(mutex_);
  void look_at(const BlobId& id, const Result<ByteView>& blob, std::vector<BlobId>& waiting)
      EXCLUDES(mutex_);
  // Adds to each tree what is hit below its folders.
  void sum_up() EXCLUDES(mutex_);
  bool is_hit(const Node& file) const;

  Repository& repository_;
  const Damage& damage_;
  const BulkOptions bulk_;
  mutable Mutex mutex_;
  std::unordered_map<BlobId, std::uint32_t> numbers_ GUARDED_BY(mutex_);
  std::vector<Found> found_ GUARDED_BY(mutex_);  // by number
};

}  // namespace restree
