// Which stretches of which packs to read so that many blobs are had with few requests.
//
// Packs come in the order of their first use, the blobs of a pack by offset; neighbours share a
// request. No byte of a pack is asked for twice. Pure: no I/O.
// Ownership: ids are the caller's and outlive the plan.
// Threads:   one while it is filled; any afterwards.
// Limits:    48 bytes for each use of a blob.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "repo/format/id.h"
#include "repo/index/index.h"
#include "repo/storage/storage.h"

namespace restree {

// One use of a blob: `tag` says whose it is and `position` where it goes, in the caller's numbers.
struct BlobUse {
  const BlobId* id;
  std::uint64_t position;
  std::uint32_t tag;
  std::uint32_t pack;  // by its number in the plan
  std::uint32_t offset;
  std::uint32_t length;
  std::uint32_t raw_length;
};

struct BulkLimits {
  // What lies between two wanted blobs is read along up to this size: a request costs more.
  std::uint64_t gap_bytes = 1 << 20;
  // More than this is not asked for at once, unless a single blob is larger. It bounds what each
  // thread holds, and what is read is still in the processor's cache when it is decoded.
  std::uint64_t request_bytes = 4 << 20;

  static BulkLimits of(const ReadHabit& habit) {
    return {.gap_bytes = habit.request_bytes / 4, .request_bytes = habit.request_bytes};
  }
};

struct BulkRequest {
  PackId pack;
  ByteRange range;
  // By offset. Uses of one blob are neighbours.
  std::span<const BlobUse> uses;
};

class BulkPlan {
 public:
  void add(const BlobLocation& place, const BlobId& id, std::uint32_t tag, std::uint64_t position);
  std::size_t use_count() const { return uses_.size(); }
  // The requests for all that was added. The spans live until the plan is changed.
  std::vector<BulkRequest> requests(const BulkLimits& limits = {});

 private:
  std::vector<BlobUse> uses_;
  std::vector<PackId> packs_;
  std::unordered_map<PackId, std::uint32_t> pack_numbers_;
};

}  // namespace restree
