// Which files of a cache go so that something else has room. A pure function; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/cache_folder.h"

namespace restree {

// The files that have to go, in their order, so that at least `wanted_bytes` become free; all that
// may go if that is less. What comes in may push out packs that rank no higher than itself: data
// does not push out trees, and nothing pushes out config, keys, indexes and snapshots. Those used
// longest ago go first, and every data pack before any tree pack.
std::vector<CachedFile> choose_evictions(std::vector<CachedFile> files, CachedKind incoming,
                                         std::uint64_t wanted_bytes);

// What choose_evictions could free at most.
std::uint64_t evictable_bytes(const std::vector<CachedFile>& files, CachedKind incoming);

}  // namespace restree
