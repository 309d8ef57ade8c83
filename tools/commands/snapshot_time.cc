#include "tools/commands/snapshot_time.h"

#include <fmt/core.h>

#include "repo/base/restic_words.h"
#include "repo/system/time_zone.h"

namespace restree {

Result<ZonedTimestamp> parse_snapshot_time(const std::string& text) {
  const auto time = parse_local_time(text, TimeZone::local());
  if (time) return in_zone(*time, TimeZone::local());
  const std::string why = fmt::format("'{}' is not a time like '2006-01-02 15:04:05'", text);
  return Error(ErrorKind::kInvalid, fmt::format(restic_words::kBadTime.text, why));
}

}  // namespace restree
