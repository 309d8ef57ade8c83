// The blobs that this run stores or has stored, so that each is stored once.
//
// Threads: any. Limits: some 80 bytes a blob.
#pragma once

#include <array>
#include <unordered_set>

#include "repo/base/guarded.h"
#include "repo/format/id.h"

namespace restree {

class KnownBlobs {
 public:
  // True for the first call with a blob; that caller has to store it.
  bool insert(BlobType type, const BlobId& id) {
    auto& shard = shards_[std::to_integer<std::size_t>(id.bytes.back()) % kShards];
    return shard.lock()->insert({id, type}).second;
  }
  bool contains(BlobType type, const BlobId& id) const {
    const auto& shard = shards_[std::to_integer<std::size_t>(id.bytes.back()) % kShards];
    return shard.lock()->contains({id, type});
  }

 private:
  static constexpr std::size_t kShards = 16;
  struct Key {
    BlobId id;
    BlobType type;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const { return std::hash<BlobId>()(key.id); }
  };
  std::array<Guarded<std::unordered_set<Key, Hash>>, kShards> shards_;
};

}  // namespace restree
