// Plans which ranges of which packs to read, so that many blobs are loaded with few requests.
//
// Packs come in the order of their first use, the blobs of a pack by offset; neighbours share a
// request. No byte of a pack is requested twice. Pure: no I/O.
// Ownership: the caller owns the ids, which must outlive the plan.
// Threads:   one while blobs are added; any afterwards.
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

// One use of a blob. `tag` and `position` are numbers of the caller: which file uses the blob, for
// example, and where in the file it goes.
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
  // A gap of at most this size between two wanted blobs is read too: another request costs more.
  std::uint64_t gap_bytes = 1 << 20;
  // The largest request, unless a single blob is larger. It bounds the memory of each thread, and
  // the bytes read are still in the processor's cache when they are decoded.
  std::uint64_t request_bytes = 4 << 20;

  static BulkLimits of(const ReadHabit& habit) {
    return {.gap_bytes = habit.request_bytes / 4, .request_bytes = habit.request_bytes};
  }
};

struct BulkRequest {
  PackId pack;
  ByteRange range;
  // Sorted by offset, so all uses of one blob follow each other.
  std::span<const BlobUse> uses;
};

class BulkPlan {
 public:
  void add(const BlobLocation& place, const BlobId& id, std::uint32_t tag, std::uint64_t position);
  // The requests for all added blobs. The spans are valid until the plan is changed.
  std::vector<BulkRequest> requests(const BulkLimits& limits = {});

 private:
  std::vector<BlobUse> uses_;
  std::vector<PackId> packs_;
  std::unordered_map<PackId, std::uint32_t> pack_numbers_;
};

}  // namespace restree
