// Which blobs are copied into one new pack by the storage itself.
//
// Pure; any thread. Limits: eight bytes a blob.
#pragma once

#include <cstdint>
#include <vector>

#include "repo/index/whole_index.h"

namespace restree {

// Of the blobs at these positions of the index, whose order does not matter: each new pack has blobs of one type,
// in the order of the old packs, so that few ranges make it up and neighbours stay neighbours. As RepositoryWriter's,
// a pack is full once its blobs have `pack_bytes` together.
std::vector<std::vector<std::uint32_t>> plan_joined_packs(const WholeIndex& index,
                                                          std::vector<std::uint32_t> positions,
                                                          std::uint64_t pack_bytes);

}  // namespace restree
