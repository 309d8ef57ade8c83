// Who this process is, as keys, locks and snapshots record it.
#pragma once

#include <string>

#include "repo/text/timestamp.h"

namespace restree {

// The machine's name as the kernel knows it; empty if it has none.
std::string host_name();
// The name of the user who runs this process; empty if that user has none.
std::string user_name();
Timestamp wall_clock_now();

}  // namespace restree
