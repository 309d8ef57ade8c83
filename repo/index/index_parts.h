// An index that grows: parts of it, of which a later one holds what came later.
//
// Threads: any; the parts themselves never change.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "repo/index/index.h"

namespace restree {

using IndexParts = std::vector<std::shared_ptr<const Index>>;

// Makes few parts of many, from what is in memory: each part costs one more look-up for a blob that
// is not in it. There are no more of them than the logarithm of their entries says, and an entry is
// copied into so many merged parts as there can be sizes. The first `kept` parts stay as they are: a
// merged one would be in memory beside them, where somebody has them.
void merge_small_parts(IndexParts& parts, std::size_t kept = 0);

}  // namespace restree
