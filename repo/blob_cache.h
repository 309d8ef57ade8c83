// Decoded blobs in memory, in front of a repository.
#pragma once

#include <cstddef>

#include "repo/base/loading_cache.h"
#include "repo/blob_source.h"

namespace restree {

// Ownership: the source must outlive it.
// Threads:   any; readers that want the same blob at the same time share one load.
// Limits:    `budget_bytes` of blobs, see LoadingCache.
class BlobCache final : public BlobSource {
 public:
  BlobCache(BlobSource& source, std::size_t budget_bytes);

  Result<SharedBlob> load(BlobType type, const BlobId& id, Deadline by) override;
  // True if the blob is in the cache or being loaded.
  bool knows(BlobType type, const BlobId& id) const;

 private:
  struct Key {
    BlobType type;
    BlobId id;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return std::hash<BlobId>()(key.id); }
  };
  BlobSource& source_;
  LoadingCache<Key, Bytes, KeyHash> blobs_;
};

}  // namespace restree
