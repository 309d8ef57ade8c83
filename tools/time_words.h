// Times as people write them after --oldest and --newest.
#pragma once

#include <string>

#include "repo/base/result.h"
#include "repo/base/time_zone.h"
#include "repo/format/timestamp.h"

namespace restree {

// 2006-01-02 or 02.01.2006, then perhaps 15:04 or 15:04:05, then perhaps -0700; else in `zone`.
// kInvalid: anything else.
Result<Timestamp> parse_time_words(const std::string& text, const TimeZone& zone);

}  // namespace restree
