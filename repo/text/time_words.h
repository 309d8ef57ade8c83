// Parses the times that users give in words of options: --as-of, --oldest and --newest.
#pragma once

#include <string>

#include "repo/base/result.h"
#include "repo/system/time_zone.h"
#include "repo/text/timestamp.h"

namespace restree {

// 2006-01-02 or 02.01.2006, then optionally 15:04 or 15:04:05, then optionally -0700. Without the
// last, the time is in `zone`. kInvalid: anything else.
Result<Timestamp> parse_time_words(const std::string& text, const TimeZone& zone);

}  // namespace restree
