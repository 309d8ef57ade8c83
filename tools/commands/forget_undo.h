// `forget --undo`: snapshots that were forgotten on this machine are put back.
//
// Threads: one.
#pragma once

#include <string>
#include <vector>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "tools/session/session.h"

namespace restree {

// Keeps the files of these snapshots on this machine, before they are removed. If that fails, a
// line on standard error says so: the snapshots are to be removed all the same. Copies that are
// older than 30 days are dropped.
void keep_for_undo(const std::vector<SnapshotId>& ids, Repository& repository,
                   const Session& session);

// Puts back the snapshots that `words` name by their ids or the beginnings of these, or, without
// words, those of the last run. Snapshots of which data are missing stay where they are, and are
// named.
Result<ExitCode> undo_forget(const std::vector<std::string>& words, bool dry_run, Session& session);

}  // namespace restree
