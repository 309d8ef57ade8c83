// The line that names a snapshot before a command says what it does with it.
#pragma once

#include <string>

#include "repo/format/snapshot.h"
#include "tools/output/output.h"

namespace restree {

// "snapshot 3fa2c0de of [/srv] at 2026-09-01 03:00:05 +0000 UTC by user@host", as restic's.
std::string snapshot_line(const Snapshot& snapshot, const Output& output);

}  // namespace restree
