// Checks that a pack file is, byte for byte, what its name and the index say.
#pragma once

#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/checker/checked_packs.h"
#include "repo/repository.h"

namespace restree {

// Returns one line for each fault; an empty list if the pack is sound. Holds the whole pack in
// memory. Errors: kUnavailable, kDenied: the pack could not be read at all. Threads: any.
Result<std::vector<std::string>> check_pack(Repository& repository, const CheckedPacks& packs,
                                            std::uint32_t number, Deadline by);

}  // namespace restree
