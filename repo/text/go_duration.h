// Durations as Go writes them, which scripts parse. A pure function; any thread.
#pragma once

#include <string>

#include "repo/text/timestamp.h"

namespace restree {

// The time between the two: "1h2m3.5s", "250ms". "0s" if `end` lies before `begin`; at most 292 years.
std::string go_duration_between(Timestamp begin, Timestamp end);

}  // namespace restree
