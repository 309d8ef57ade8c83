// The steps of a check, for the commands that make one.
//
// Threads: one; it works with several of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/checker/checker.h"
#include "tools/commands/check_report.h"
#include "tools/commands/snapshot_options.h"
#include "tools/session/session.h"

namespace restree {

// A subset of the packs as --read-data-subset has it: PackSubset::parse(), and a time, as in oldest:1h,
// whose units are Go's; so 30m is half an hour there, and 30M are 30 MiB. kInvalid.
Result<PackSubset> parse_pack_subset(const std::string& text);

// How long ago packs were read on this machine; `now`: seconds since 1970.
std::string ages_text(const ReadAges& ages, std::int64_t now);

struct CheckWish {
  std::vector<std::string> snapshots = {};  // empty: all that the filter chooses
  SnapshotOptions filter = {};
  std::optional<PackSubset> subset = {};  // of the packs to read
};

// Reports what it finds, and what can be done about it. `checker`, of that repository, has done
// nothing yet. kCorrupt: the repository is damaged. kInvalid: some of what was asked for was not found.
// Others: those of the checker.
Status run_check(const CheckWish& wish, Session& session, Repository& repository, Checker& checker,
                 CheckReport& report);

}  // namespace restree
