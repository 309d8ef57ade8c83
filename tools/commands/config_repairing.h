// What `repair config` does: a new config for a repository that has lost its own, or whose own is
// damaged.
#pragma once

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "tools/session/session.h"

namespace restree {

// Nobody can hold a lock meanwhile, for without a config nobody opens the repository to write.
Result<ExitCode> repair_config_of(Session& session);

}  // namespace restree
