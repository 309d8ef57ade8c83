// Rewriting snapshots of the repository of a session: what `rewrite` and `repair snapshots` share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "repo/rewriter/snapshot_rewriter.h"
#include "tools/commands/snapshot_options.h"
#include "tools/session/session.h"

namespace restree {

struct RewriteRequest {
  const std::vector<std::string>& snapshots;
  const SnapshotOptions& filter;
  Locking locking;  // unless it is a dry run, which takes no lock
  // Also remove the files of snapshots that are named and cannot be read.
  bool removes_unreadable = false;
};

// The rules for an opened repository whose index is loaded; nullptr: trees stay as they are.
using RulesFor = std::function<const TreeRules*(const Repository& repository)>;

// Opens the repository, rewrites the snapshots and prints what it does. `how` needs only what the
// command decides; the rest comes from the session.
Result<ExitCode> rewrite_snapshots(Session& session, const RewriteRequest& request,
                                   const RulesFor& rules_for, RewriteOptions how);

}  // namespace restree
