// How much of a prune is done at a time where the storage has little free space.
//
// The copies out of a pack take space until the pack itself is removed, which is at the end of a
// round. Pure functions of values; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "repo/index/whole_index.h"
#include "repo/pruner/prune_plan.h"

namespace restree {

// What repacking one pack takes, and gives back.
struct RepackCost {
  PruneStatistics::Amount copied = {};  // as they lie in the pack: copies are no larger
  std::uint64_t pack_bytes = 0;
  // False: all of it is in use and copied as it is, so that packs only become fewer.
  bool gains = true;
};

// An index file that names so many packs with so many blobs has at most so many bytes.
std::uint64_t most_index_bytes(std::uint64_t packs, std::uint64_t blobs);

// What is stored for copies in packs of `pack_bytes`, with the index files that name them, at most.
std::uint64_t bytes_to_store(const PruneStatistics::Amount& copied, std::uint64_t pack_bytes);

// What may be written while `keep_free_bytes` stay free.
constexpr std::uint64_t room_for(std::uint64_t free_bytes, std::uint64_t keep_free_bytes) {
  return free_bytes > keep_free_bytes ? free_bytes - keep_free_bytes : 0;
}

// Which of the packs to repack in one round, by their positions, in order: as many as the room is
// enough for, and first those that give most space back for what they take. Packs that gain nothing
// are put together only if the room is enough for all that the plan has.
std::vector<std::size_t> choose_round(std::span<const RepackCost> packs, std::uint64_t room,
                                      std::uint64_t pack_bytes);

// The packs that a plan repacks.
struct PlannedRepack {
  std::vector<PackId> packs;  // in the order of the index
  std::vector<RepackCost> costs;

  // What all of them need at once.
  std::uint64_t bytes_to_store(std::uint64_t pack_bytes) const;
  // The least space with which one pack can be repacked so that space is gained; 0: no pack gains any.
  std::uint64_t least_bytes_to_store(std::uint64_t pack_bytes) const;
};
PlannedRepack repack_costs(const PrunePlan& plan, const WholeIndex& index, const PruneRules& rules);

}  // namespace restree
