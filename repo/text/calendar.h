// The calendar without zones: days since 1970 and dates of any year, as Go's package time has them.
//
// std::chrono's years end at 32767; what a file system holds, and what a date minus a span of years
// comes to, does not. Pure functions; any thread.
#pragma once

#include <cstdint>

namespace restree {

inline constexpr std::int64_t kSecondsOfDay = 86400;

struct CalendarDate {
  std::int64_t year;
  std::int64_t month;  // 1..12
  std::int64_t day;    // 1..31
};

// A moment as a clock shows it.
struct ClockTime {
  CalendarDate date;
  std::int64_t second_of_day;
};

constexpr std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

// Both functions count years from 1 March, so that the leap day is the last one, and in eras of 400
// years (Howard Hinnant's days_from_civil and civil_from_days).
namespace calendar_era {
inline constexpr std::int64_t kDays = 146097;
inline constexpr std::int64_t kDaysToEpoch = 719468;  // from 0000-03-01
}  // namespace calendar_era

// The day may lie outside of its month: 31 February is 3 March, or 2 March in a leap year.
constexpr std::int64_t days_since_epoch(const CalendarDate& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_divide(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month = (date.month + 9) % 12;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * calendar_era::kDays + day_of_era - calendar_era::kDaysToEpoch;
}

// What a clock shows that has counted `clock_seconds` since 1970.
constexpr ClockTime clock_time_of(std::int64_t clock_seconds) {
  const std::int64_t days = floor_divide(clock_seconds, kSecondsOfDay);
  const std::int64_t era = floor_divide(days + calendar_era::kDaysToEpoch, calendar_era::kDays);
  const std::int64_t day_of_era = days + calendar_era::kDaysToEpoch - era * calendar_era::kDays;
  const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                                    day_of_era / (calendar_era::kDays - 1)) /
                                   365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return {{year, month, day}, clock_seconds - days * kSecondsOfDay};
}

// A year and a week in it by ISO 8601: weeks begin on Monday, and belong to the year of their
// Thursday.
struct IsoWeek {
  std::int64_t year;
  std::int64_t week;  // 1..53
};

constexpr IsoWeek iso_week_of(const CalendarDate& date) {
  const std::int64_t days = days_since_epoch(date);
  const std::int64_t from_monday = days + 3 - floor_divide(days + 3, 7) * 7;
  const std::int64_t thursday = days - from_monday + 3;
  const std::int64_t year = clock_time_of(thursday * kSecondsOfDay).date.year;
  return {year, (thursday - days_since_epoch({year, 1, 1})) / 7 + 1};
}

}  // namespace restree
