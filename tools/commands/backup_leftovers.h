// What earlier backups have left in a repository, looked at before the next one begins.
//
// Threads: one.
// Errors:  kCancelled. Whatever else fails is a warning: without this step a backup only stores
//          again what is there already.
#pragma once

#include <vector>

#include "repo/repository.h"
#include "tools/session/session.h"

namespace restree {

// Indexes the packs that a killed backup has stored whole, and removes the old temporary files of
// one. Returns, in order, the packs that the index names although the storage does not have them,
// or not all of them: a backup must store again what it needs of them.
// To list the packs costs nothing on this machine; a server is asked only if somebody has left a
// lock behind. Needs the repository's index and lock; does nothing without a lock.
Result<std::vector<PackId>> look_at_leftovers(const Session& session, Repository& repository);

}  // namespace restree
