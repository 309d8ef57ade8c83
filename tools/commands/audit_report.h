// What `audit` prints: findings as a table for people, and as JSON for monitors.
//
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "repo/format/id.h"
#include "repo/journal/finding.h"
#include "repo/journal/journal_entry.h"
#include "tools/output/output.h"

namespace restree {

struct Audit {
  RepositoryId repository = {};
  bool is_first_visit = false;
  std::size_t visits = 0;  // that are in the journal: those that saw nothing new mostly are not
  std::int64_t first_visit = 0;
  std::int64_t accepted = kNoTime;  // when somebody last accepted what was found
  std::uint64_t bytes_left_out = 0;
  std::vector<Finding> findings = {};  // since then, remarks among them

  // Of what somebody should look at.
  std::size_t count() const;
};

void print_audit(const Audit& audit, const Output& output);

}  // namespace restree
