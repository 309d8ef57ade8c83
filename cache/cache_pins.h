// Snapshots whose packs are to stay in a cache: a file for each, with the packs that it needs.
//
//   pins/SNAPSHOT := (PATH " " BYTES "\n")*   PATH as in cache_folder.h; BYTES wanted of the pack
//
// A pin is there from the moment its file has its name, as a whole. It goes with the snapshot.
// Lines that are none are passed over.
//
// Threads: one at a time for each snapshot; who writes has the turn (cache_usage.h).
// Errors:  kLocalIo: the file cannot be written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cache/cache_folder.h"
#include "repo/base/result.h"

namespace restree {

// The packs' files, and how much is wanted of each.
using PinnedPacks = std::map<std::string, std::uint64_t>;

// The snapshots that are pinned, by their whole ids.
std::vector<std::string> pinned_snapshots(const CacheFolder& folder);
// All that is pinned by any but `but`; of what several want, the most.
PinnedPacks pinned_packs(const CacheFolder& folder, const std::string& but = "");
Status write_pin(const CacheFolder& folder, const std::string& snapshot, const PinnedPacks& packs);
// False: there was none.
bool remove_pin(const CacheFolder& folder, const std::string& snapshot);

}  // namespace restree
