// Repairing packs of a session's repository: what `repair packs` does.
#pragma once

#include <string>
#include <vector>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "tools/session/session.h"

namespace restree {

// Saves what is whole in the packs whose whole ids `words` are, and removes them. Opens the
// repository; prints what it does. `program`: what the user calls this program.
Result<ExitCode> repair_packs_of(const std::vector<std::string>& words, const std::string& program,
                                 Session& session);

}  // namespace restree
