// Which blobs of a repository are damaged, as far as a check has found out, and which are lost: they
// cannot be read from any place.
//
// Ownership: shares the index.
// Threads:   one at a time; those that change nothing: any.
// Limits:    a bit for each place of a blob; of the blobs in no index the first ten thousand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "repo/format/id.h"
#include "repo/index/index.h"

namespace restree {

struct DamagedPack {
  PackId id;
  std::uint32_t damaged = 0;  // of its blobs
  std::uint32_t blobs = 0;    // all of them
};

struct LostBlob {
  BlobType type;
  BlobId id;
  PackId pack;  // one that should have it
};

class Damage {
 public:
  // Must be called first.
  void use_index(std::shared_ptr<const Index> index);

  // The blob is damaged in this place: the position of its entry in the index.
  void add_place(std::size_t position) { damaged_[position] = true; }
  // The blob cannot be read from any place, or is in no index.
  void add_blob(BlobType type, const BlobId& id);

  // Whether it is damaged in every place, or in no index.
  bool is_lost(BlobType type, const BlobId& id) const;
  // The packs with damaged blobs, in the order of the index.
  std::vector<DamagedPack> packs() const;
  // Up to `most` of those that are damaged in every place.
  std::vector<LostBlob> lost(std::size_t most) const;
  std::uint64_t lost_count() const;
  // The blobs in no index: nothing is known of them until the packs were asked.
  const std::set<std::pair<BlobType, BlobId>>& unknown() const { return unknown_; }

 private:
  // Calls `each` with the first place of each blob that is lost; ends if that returns false.
  template <class Each>
  void for_each_lost(Each each) const;

  std::shared_ptr<const Index> index_;
  std::vector<bool> damaged_;                      // by the position in the index
  std::set<std::pair<BlobType, BlobId>> unknown_;  // in no index
};

}  // namespace restree
