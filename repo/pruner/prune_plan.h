// What a prune does with each pack of a repository, decided as restic decides it.
//
// A pack in no index is removed, unless it is young: it may belong to a backup that is under way. A
// pack of which nothing is in use is removed. A pack of which something is in use is kept or repacked:
// its blobs are copied to new packs, and then it is removed. A blob that lies in several places counts
// as used in one of them, and as unused in the others.
//
// Pure functions of values; any thread. The same values give the same plan, in whatever order the
// index files were read.
// Limits:  80 bytes a pack and 4 a blob to copy, on top of the index.
// Errors:  kCorrupt: the repository is damaged: packs that are needed are missing or of another size
//          than the index says. The message names them, the hint says what to run.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/index/whole_index.h"
#include "repo/pruner/prune_statistics.h"

namespace restree {

struct PruneRules {
  std::uint32_t format_version = 2;
  UnusedLimit max_unused = {};
  // Repacking ends before it reads so many bytes.
  std::uint64_t max_repack_bytes = UINT64_MAX;
  // Smaller packs are put together; nullopt: what is small depends on the other packs.
  std::optional<std::uint64_t> small_pack_bytes = std::nullopt;
  // Packs of data are kept as long as anything in them is in use.
  bool only_cacheable = false;
  // Packs with data that is not compressed are repacked. (Those with trees always are.)
  bool repack_uncompressed = false;
  // A blob in several places counts as used in one of these packs, if it is in any. They are not
  // repacked: they are new. In order.
  std::vector<PackId> preferred = {};
  // Nothing but these packs is repacked; nullopt: any. In order.
  std::optional<std::vector<PackId>> repack_only = std::nullopt;
};

// A pack as the storage lists it.
struct ListedPack {
  PackId id;
  std::uint64_t size_bytes;
  bool is_young = false;
};

enum class PackFate : std::uint8_t {
  kKeep,
  kRepack,
  kRemove,
  kMissing,  // it is not there, and nothing needs it
};

struct PrunePlan {
  std::vector<PackFate> fates;        // in the order of Index::packs()
  std::vector<PackId> unindexed;      // packs in no index, to be removed
  std::vector<std::uint32_t> copies;  // positions in the index of the blobs to copy, pack by pack
  PruneStatistics statistics;

  // Whether any pack leaves the index.
  bool changes_index() const;
  // Whether there is anything to remove without a copy.
  bool removes_unused() const;
};

// `used`: by the position of the blob's first entry in the index, as Index::position() says.
Result<PrunePlan> plan_prune(const WholeIndex& index, const std::vector<bool>& used,
                             std::vector<ListedPack> stored, const PruneRules& rules);

}  // namespace restree
