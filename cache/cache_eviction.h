// Chooses the files of a cache that are removed to make room for new ones. Pure functions; any
// thread.
#pragma once

#include <cstdint>
#include <vector>

#include "cache/cache_folder.h"

namespace restree {

// The files to remove, first to go first, to free at least `wanted_bytes`; all that may be removed
// if they are too small. A new file may push out packs that rank
// no higher than itself: data does not push out trees, and nothing pushes out config, keys, indexes
// and snapshots. Every data pack goes before any tree pack, and of each the pack used longest ago
// first.
std::vector<CachedFile> choose_evictions(std::vector<CachedFile> files, CachedKind incoming,
                                         std::uint64_t wanted_bytes);

// How much choose_evictions() could free at most.
std::uint64_t evictable_bytes(const std::vector<CachedFile>& files, CachedKind incoming);

}  // namespace restree
