// Repairing packs of a session's repository: what `repair packs` does, and a step of `repair all`.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "program/exit_codes.h"
#include "repo/base/result.h"
#include "repo/format/id.h"
#include "repo/repairer/pack_repair.h"
#include "tools/commands/quarantine_options.h"
#include "tools/commands/second_repository.h"
#include "tools/output/output.h"
#include "tools/session/session.h"

namespace restree {

struct PackRepairWish {
  std::vector<std::string> ids;  // whole ones
  QuarantineOptions quarantine;
  RepairSource source;
};

// Saves what is whole in these packs, and removes them; then brings back what is missing from the
// second repository, if there is one: without it there must be ids. Opens the repository; prints
// what it does. `program`: what the user calls this program.
Result<ExitCode> repair_packs_of(const PackRepairWish& wish, const std::string& program,
                                 Session& session);

// The same for packs of an opened repository whose index is loaded. `second`: where blobs are looked
// for that are whole nowhere else, or nullptr. `has_quarantine`: no copies are saved in the current
// folder.
Result<PackRepair> repair_packs_in(Repository& repository, const std::set<PackId>& packs,
                                   BlobSource* second, bool has_quarantine, Session& session,
                                   const Output& output);

}  // namespace restree
