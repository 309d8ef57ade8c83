// How much of a repository is used, and what a prune does about the rest.
//
// Values; any thread.
#pragma once

#include <cstdint>

namespace restree {

// How many unused bytes may stay in the repository: so many, or in proportion to what is used.
struct UnusedLimit {
  enum class Kind : std::uint8_t { kUnlimited, kPercent, kBytes } kind = Kind::kPercent;
  double percent = 5;  // of what the repository has afterwards; below 100
  std::uint64_t bytes = 0;

  std::uint64_t of(std::uint64_t used_bytes) const;
};

struct PruneStatistics {
  // Sealed bytes, without the headers of packs; all of a pack where packs are repacked.
  struct Amount {
    std::uint64_t blobs = 0;
    std::uint64_t bytes = 0;
  };
  Amount used;
  Amount duplicate;
  Amount unused;
  Amount repack;                         // all that the repacked packs hold
  Amount repack_removed;                 // of that, what is not copied
  Amount removed;                        // in packs that are removed without a copy
  std::uint64_t unreferenced_bytes = 0;  // of packs in no index that are removed
  std::uint64_t uncompressed_bytes = 0;  // of kept packs with something uncompressed; format 2 only

  struct Packs {
    std::uint64_t used = 0;
    std::uint64_t partly_used = 0;
    std::uint64_t unused = 0;
    std::uint64_t unreferenced = 0;
    std::uint64_t kept = 0;
    std::uint64_t repacked = 0;
    std::uint64_t removed = 0;
    std::uint64_t total() const { return used + partly_used + unused + unreferenced; }
  } packs;

  // Packs in no index that stay as they are young.
  std::uint64_t young_packs = 0;
  std::uint64_t young_bytes = 0;

  Amount total() const;
  Amount all_removed() const;
  Amount remaining() const;
  std::uint64_t remaining_unused_bytes() const;
};

}  // namespace restree
