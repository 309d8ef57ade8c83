// Pins: each keeps a snapshot's packs from being evicted from a cache. It is a file that lists the
// packs that the snapshot needs.
//
//   pins/SNAPSHOT := (PATH " " BYTES "\n")*   PATH as in cache_folder.h; BYTES: how many the snapshot needs of it
//
// The file is renamed into place, so a pin is either complete or absent. It is removed together
// with the snapshot. Malformed lines are skipped.
//
// Threads: one at a time for each snapshot; a writer must have the turn (cache_usage.h).
// Errors:  kNotFound, kDenied, kLocalIo: the file cannot be written.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cache/cache_folder.h"
#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

// The packs' files, each with the number of bytes wanted of it.
using PinnedPacks = std::map<std::string, std::uint64_t>;

// The pinned snapshots, in the order of their ids.
std::vector<SnapshotId> pinned_snapshots(const CacheFolder& folder);
// The packs pinned by any snapshot except `but`; for a pack that several snapshots want, the
// largest number of bytes.
PinnedPacks pinned_packs(const CacheFolder& folder, const std::string& but = "");
Status write_pin(const CacheFolder& folder, const std::string& snapshot, const PinnedPacks& packs);
// False: the snapshot was not pinned.
bool remove_pin(const CacheFolder& folder, const std::string& snapshot);

}  // namespace restree
