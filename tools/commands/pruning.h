// Pruning the repository of a session: what `prune` does, and other commands at their end.
#pragma once

#include <set>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "tools/commands/prune_options.h"
#include "tools/session/session.h"

namespace restree {

// Removes what no snapshot needs, apart from those that are `ignored` as if they were gone, and
// prints what it does. Opens the repository, unless the session has done that; its index must not be
// loaded yet. An exclusive lock that the session holds is kept. Without one, others may work beside it
// until it removes; then it takes one, which stays.
Result<ExitCode> prune(Session& session, const PruneCommandOptions& options,
                       const std::set<SnapshotId>& ignored);

}  // namespace restree
