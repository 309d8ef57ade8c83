// A time zone of the system's database: how far its clocks are from UTC at any moment.
//
// The database is read once, and looked up as Go's library does it: the zone that TZ names, as a
// file below the zoneinfo folders or by its full path; /etc/localtime if TZ is not set; UTC if
// there is no such file. (POSIX rules in TZ itself, "CET-1CEST", are UTC to Go.)
//
// Threads: any; immutable.      Format: RFC 8536 (TZif), all versions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/system/zone_rule.h"

namespace restree {

class TimeZone {
 public:
  // UTC.
  TimeZone() = default;

  // The zone of the environment. The same for the life of the process: TZ is read only once.
  static const TimeZone& local();
  // The zone that this value of TZ stands for; nullopt: not set.
  static TimeZone named(const std::optional<std::string>& tz);
  // UTC if the bytes are not TZif.
  static TimeZone parse(ByteView tzif);

  // Seconds east of UTC at this moment (seconds since 1970, UTC).
  std::int32_t offset_at(std::int64_t seconds) const;
  // Seconds since 1970, UTC, of a moment that the zone's clocks show as `clock_seconds` since 1970.
  // A time that the clocks skip or show twice is taken as Go's time.Date takes it.
  std::int64_t to_utc(std::int64_t clock_seconds) const;

 private:
  friend class TzifReader;
  struct Kind {
    std::int32_t offset = 0;
    bool is_daylight_saving = false;
  };
  struct Transition {
    std::int64_t at = 0;
    std::uint8_t kind = 0;
  };
  std::int32_t offset_before_all() const;

  std::vector<Kind> kinds_;
  std::vector<Transition> transitions_;
  std::optional<ZoneRule> afterwards_;  // beyond the last transition
};

}  // namespace restree
