// Packs that an interrupted backup has stored but named in no index: found, and named after all,
// so that their blobs need not be stored again.
//
// Only for who knows that no other writer is at work: its packs look the same until it is done.
// Threads: any. Errors: those of the storage. A pack whose end is no header is left as it is.
#pragma once

#include <cstdint>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/repository.h"

namespace restree {

struct AdoptedPacks {
  std::size_t packs = 0;
  std::size_t blobs = 0;
  std::uint64_t bytes = 0;
};

// Needs the repository's index, and brings it up to date.
Result<AdoptedPacks> adopt_unindexed_packs(Repository& repository, Deadline by);

// The header of a pack, from its end: two reads at most, mostly one.
Result<std::vector<IndexedBlob>> load_pack_header(Repository& repository, const PackId& pack,
                                                  std::uint64_t size_bytes, Deadline by);

}  // namespace restree
