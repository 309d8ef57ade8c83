// A POSIX TZ rule, "CET-1CEST,M3.5.0,M10.5.0/3": when daylight saving begins and ends, every year.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace restree {

class ZoneRule {
 public:
  // nullopt: not a rule.
  static std::optional<ZoneRule> parse(std::string_view text);

  // Seconds east of UTC at this moment (seconds since 1970, UTC).
  std::int32_t offset_at(std::int64_t seconds) const;

  // When in a year the clocks are changed.
  struct Change {
    enum class Kind { kJulianDay, kDayOfYear, kWeekdayOfMonth } kind = Kind::kWeekdayOfMonth;
    int day = 0;    // 1..365 never counting 29 February; 0..365; weekday, Sunday is 0
    int week = 0;   // 1..5, 5 is the last
    int month = 0;  // 1..12
    std::int32_t seconds = 2 * 3600;  // of the clocks as they were before
  };

 private:
  std::int32_t standard_offset_ = 0;
  std::int32_t daylight_offset_ = 0;
  bool has_daylight_saving_ = false;
  Change begin_;
  Change end_;
};

}  // namespace restree
