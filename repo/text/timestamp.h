// A point in time as backups record it: nanoseconds, any year, and the zone it was written in.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "repo/system/time_zone.h"

namespace restree {

struct Timestamp {
  std::int64_t seconds = 0;  // since 1970-01-01T00:00:00Z, negative before
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const Timestamp&) const = default;
};

// A point in time with the zone it was written in, so that it can be written again as it was.
struct ZonedTimestamp {
  Timestamp time;
  std::int32_t offset_seconds = 0;  // east of UTC
  auto operator<=>(const ZonedTimestamp&) const = default;
};

// RFC 3339 with up to nine fractional digits and any offset; nullopt if it is not that.
std::optional<Timestamp> parse_timestamp(std::string_view text);
std::optional<ZonedTimestamp> parse_zoned_timestamp(std::string_view text);

// RFC 3339 in UTC, without trailing zeros in the fraction. For the years 0 to 9999.
std::string format_timestamp(Timestamp time);
// The same in another zone. Of an offset with seconds (mean solar time) only the minutes can be
// written, and such a time does not read back as it was.
std::string format_zoned_timestamp(ZonedTimestamp time);

// As trees have it: in `zone`. A year that RFC 3339 cannot write becomes 0 or 9999, with the same
// day and time of day.
void append_timestamp(Timestamp time, const TimeZone& zone, std::string& out);
// A moment as a person names it on the zone's clocks, "2006-01-02 15:04:05", also with a fraction of
// a second; nullopt if it is not that.
std::optional<Timestamp> parse_local_time(std::string_view text, const TimeZone& zone);
// The same moment as the zone's clocks show it.
ZonedTimestamp in_zone(Timestamp time, const TimeZone& zone);

}  // namespace restree
