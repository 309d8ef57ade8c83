// The time of a snapshot as an option gives it.
#pragma once

#include <string>

#include "repo/base/result.h"
#include "repo/text/timestamp.h"

namespace restree {

// "2006-01-02 15:04:05" on the clocks of the process's zone. kInvalid, in restic's words: it is not
// that.
Result<ZonedTimestamp> parse_snapshot_time(const std::string& text);

}  // namespace restree
