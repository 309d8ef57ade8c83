// What is wrong with a repository, and what that means: the look at it before and after repairs.
//
// Ownership: session and repository must outlive the call. Threads: one calls; several work.
// Errors:    only what prevents the look itself: those of Checker.
#pragma once

#include <cstdint>
#include <vector>

#include "repo/base/result.h"
#include "repo/repairer/repair_plan.h"
#include "repo/repository.h"
#include "tools/commands/damage_report.h"
#include "tools/output/output.h"
#include "tools/session/session.h"

namespace restree {

struct Examination {
  RepairFacts facts;
  std::vector<HitApp> hits;  // what needs what is lost
  bool is_whole = true;
  bool has_read_data = false;
  // Of the lost blobs, those that the second repository has by its index.
  std::uint64_t in_second = 0;
};

// Checks the repository, which may have its index loaded or not; as `check` does, but it goes on where
// index files are damaged. `second`: a second repository with its index loaded, or nullptr. Each
// error is a note on standard error.
Result<Examination> examine(Session& session, Repository& repository, const Repository* second,
                            bool read_data, const Output& output);

}  // namespace restree
