// Packs that an interrupted backup has stored but named in no index: found, read back, and named
// after all, so that their blobs need not be stored again.
//
// The header of such a pack proves nothing: a page of its payload may never have reached the disk.
// A pack is named only after its whole content was read and has the SHA-256 that its name says.
// Threads: any.
// Limits:  memory: for each pack that is read at the same time (eight at most), its header and the
//          bytes of one storage request.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/pack_file.h"
#include "repo/repository.h"

namespace restree {

// How the packs in the storage differ from those that the index names.
struct PackDifferences {
  std::vector<StoredPack> unindexed;
  // Named by the index, but missing, or shorter than their blobs; in order.
  std::vector<PackId> lost;
};

// Lists the packs. Needs the repository's index, loaded under a lock: a prune that ran meanwhile
// would make packs look lost. Errors: those of the storage.
Result<PackDifferences> compare_packs(Repository& repository, Deadline by);

struct AdoptionOptions {
  // How long one request may take, retries included.
  std::chrono::seconds patience = std::chrono::minutes(15);
  // A damaged index file makes a whole repository look unindexed. Then storing again what a backup
  // needs is cheaper than reading everything.
  std::uint64_t most_bytes = std::uint64_t{64} << 30;
  std::stop_token stop = {};
  // Names of lock files that certainly nobody holds any more; all other locks but one are of others.
  std::set<std::string> dead_locks = {};
  // Called before packs are read: how many, and how long they are together.
  std::function<void(std::size_t packs, std::uint64_t bytes)> on_begin = {};
  // Called, by any thread, for each pack that stays in no index, with the reason.
  std::function<void(const Error& error)> on_left_out = {};
};

struct AdoptedPacks {
  std::size_t packs = 0;
  std::size_t blobs = 0;
  std::uint64_t bytes = 0;
};

// Names those of `unindexed` that are whole in an index, and brings the repository's index up to
// date. Nothing is done while others hold locks: the packs of a backup that is under way look the
// same.
// Errors: kCancelled. Those of the storage, if it cannot be reached or takes no index file: what
// was not named by then stays as it was. A pack that is damaged or cannot be read is not an error.
Result<AdoptedPacks> adopt_packs(Repository& repository, std::vector<StoredPack> unindexed,
                                 const AdoptionOptions& options);

}  // namespace restree
