#include "repo/pruner/prune_statistics.h"

namespace restree {

std::uint64_t UnusedLimit::of(std::uint64_t used_bytes) const {
  switch (kind) {
    case Kind::kUnlimited:
      return UINT64_MAX;
    case Kind::kPercent:
      return static_cast<std::uint64_t>(percent / (100 - percent) *
                                        static_cast<double>(used_bytes));
    case Kind::kBytes:
      return bytes;
  }
  return bytes;
}

PruneStatistics::Amount PruneStatistics::total() const {
  return {used.blobs + duplicate.blobs + unused.blobs,
          used.bytes + duplicate.bytes + unused.bytes + unreferenced_bytes};
}

PruneStatistics::Amount PruneStatistics::all_removed() const {
  return {removed.blobs + repack_removed.blobs,
          removed.bytes + repack_removed.bytes + unreferenced_bytes};
}

PruneStatistics::Amount PruneStatistics::remaining() const {
  return {total().blobs - all_removed().blobs, total().bytes - all_removed().bytes};
}

std::uint64_t PruneStatistics::remaining_unused_bytes() const {
  return duplicate.bytes + unused.bytes - removed.bytes - repack_removed.bytes;
}

}  // namespace restree
