#include "repo/pruner/pruning_in_rounds.h"

namespace restree {
namespace {

Status lock_and_remove(Pruner& pruner, const PruneLocking& locking, PruneListener& listener) {
  RETURN_IF_ERROR(locking.exclude());
  RETURN_IF_ERROR(pruner.look_again());
  return pruner.remove(listener);
}

}  // namespace

Result<PruneRound> prune_in_rounds(Pruner& pruner, const PruneLocking& locking,
                                   PruneListener& listener,
                                   const std::function<void(const PruneRound&)>& begin_round) {
  if (pruner.plan().removes_unused()) {
    RETURN_IF_ERROR(lock_and_remove(pruner, locking, listener));
  }
  for (;;) {
    RETURN_IF_ERROR(locking.share());
    ASSIGN_OR_RETURN(const PruneRound round, pruner.plan_round());
    if (round.packs == 0) return round;
    begin_round(round);
    RETURN_IF_ERROR(pruner.copy(listener));
    RETURN_IF_ERROR(lock_and_remove(pruner, locking, listener));
  }
}

}  // namespace restree
