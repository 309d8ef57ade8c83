// Repairing the index of the repository of a session: what `repair index` does, and `recover` first.
#pragma once

#include "repo/base/result.h"
#include "repo/repository.h"
#include "tools/output/output.h"
#include "tools/session/session.h"

namespace restree {

// Prints what it does to `output`, in restic's words. The session must hold an exclusive lock.
Status repair_index_of(Session& session, Repository& repository, bool read_all_packs,
                       const Output& output);

}  // namespace restree
