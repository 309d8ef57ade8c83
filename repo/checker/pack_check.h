// Whether a pack file is, byte for byte, what its name and the index say.
#pragma once

#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/checker/checked_packs.h"
#include "repo/repository.h"

namespace restree {

// One line for each thing that is wrong: nothing if all is right. Reads the whole pack, which is
// then in memory. Errors: kUnavailable, kDenied: it could not be read at all. Threads: any.
Result<std::vector<std::string>> check_pack(Repository& repository, const CheckedPacks& packs,
                                            std::uint32_t number, Deadline by);

}  // namespace restree
