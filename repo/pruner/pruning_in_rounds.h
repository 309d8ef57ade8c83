// A prune of a repository whose storage has little free space.
//
// First goes what nothing uses. Then rounds follow: each repacks as much as there is room for, and gives
// the space of the old packs back before the next one begins.
#pragma once

#include <functional>

#include "repo/base/result.h"
#include "repo/pruner/pruner.h"

namespace restree {

// The lock of the run. While it is shared, others may work beside it, and it only adds to the
// repository. Between the two others may come in. Both may do nothing if the lock is always exclusive.
struct PruneLocking {
  std::function<Status()> share;
  std::function<Status()> exclude;
};

// Of a prune that was planned by make_plan(), of which nothing else was done. `begin_round` is called
// before each. Returns the last round, which repacks nothing; packs_left says whether there was too
// little room to repack all that the plan has.
// Errors: those of Pruner and of `locking`. What was done until then is done.
Result<PruneRound> prune_in_rounds(Pruner& pruner, const PruneLocking& locking,
                                   PruneListener& listener,
                                   const std::function<void(const PruneRound&)>& begin_round);

}  // namespace restree
