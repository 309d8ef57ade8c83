// Checks that a pack file is, byte for byte, what its name and the index say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/checker/checked_packs.h"
#include "repo/repository.h"

namespace restree {

struct PackVerdict {
  std::vector<std::string> wrong;      // a line for each fault; empty: the pack is sound
  std::vector<std::uint32_t> damaged;  // positions in the index of the blobs that cannot be read
  // Blobs that are whole, but elsewhere in the pack than the index says.
  std::uint32_t misplaced = 0;
};

// Holds the whole pack in memory. Errors: kUnavailable, kDenied: the pack could not be read at all.
// Threads: any.
Result<PackVerdict> check_pack(Repository& repository, const CheckedPacks& packs,
                               std::uint32_t number, Deadline by);

}  // namespace restree
