// The packs that a storage has, with what a prune wants to know of each.
#pragma once

#include <chrono>
#include <vector>

#include "repo/base/result.h"
#include "repo/pruner/prune_plan.h"
#include "repo/repository.h"

namespace restree {

// Young is what was written within a day, by the clock of the storage, which must have the lock of this
// run. `patience` is for each request. Errors: those of the storage.
Result<std::vector<ListedPack>> list_packs(Repository& repository, std::chrono::seconds patience);

}  // namespace restree
