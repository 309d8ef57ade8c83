// All repairs of a repository, in the right order: what `repair plan` and `repair all` do.
#pragma once

#include <string>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "tools/commands/quarantine_options.h"
#include "tools/commands/second_repository.h"
#include "tools/session/session.h"

namespace restree {

struct RepairWish {
  bool read_data = false;  // also look into every pack
  RepairSource source;
  QuarantineOptions quarantine;
};

// Prints what is wrong, what helps, and what is lost; changes nothing. kCorrupt: there is something
// to repair. `program`: what the user calls this program.
Result<ExitCode> plan_repairs(const RepairWish& wish, const std::string& program, Session& session);

// Repairs what can be repaired, and looks again. kCorrupt: something is lost, which is named, or
// wrong still.
Result<ExitCode> repair_all(const RepairWish& wish, const std::string& program, Session& session);

}  // namespace restree
