// What `repair plan` and `repair all` print: the steps, what is lost, and the result.
//
// Pure functions of values; any thread.
#pragma once

#include <string>
#include <vector>

#include "repo/repairer/repair_plan.h"
#include "tools/commands/repair_examination.h"

namespace restree {

// How this program is called.
struct RepairCalls {
  std::string program;  // "restree"
  std::string second;   // the words that name the second repository; empty: none is named
};

// For people; `steps`: as plan_repair() gives them.
std::string plan_text(const Examination& found, const std::vector<PlannedStep>& steps,
                      const RepairCalls& calls);
// The same as an object.
std::string plan_json(const Examination& found, const std::vector<PlannedStep>& steps,
                      const RepairCalls& calls);

// What has become of a repository.
struct RepairResult {
  bool is_whole = true;                        // by the check at the end
  std::vector<HitApp> lost;                    // what snapshots had to be made whole without
  std::vector<std::string> removed_snapshots;  // whose files could not be read
  std::uint64_t blobs_retrieved = 0;
  std::string quarantine;  // where what was removed is kept; empty: nothing was done

  bool is_nothing_lost() const { return lost.empty() && removed_snapshots.empty(); }
};

std::string result_text(const RepairResult& result);
std::string result_json(const RepairResult& result);

}  // namespace restree
