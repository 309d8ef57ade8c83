#include "repo/text/calendar.h"

#include <gtest/gtest.h>

#include <chrono>

namespace restree {
namespace {

std::int64_t days_of(int year, unsigned month, unsigned day) {
  return days_since_epoch({year, month, day});
}

TEST(Calendar, AgreesWithTheStandardLibraryWhereThatReaches) {
  using namespace std::chrono;
  for (sys_days day = sys_days{year(-400) / 1 / 1}; day < sys_days{year(2800) / 1 / 1};
       day += days(17)) {
    const year_month_day date(day);
    const std::int64_t count = day.time_since_epoch().count();
    const ClockTime clock = clock_time_of(count * kSecondsOfDay + 4711);
    EXPECT_EQ(clock.date.year, int(date.year()));
    EXPECT_EQ(clock.date.month, unsigned(date.month()));
    EXPECT_EQ(clock.date.day, unsigned(date.day()));
    EXPECT_EQ(clock.second_of_day, 4711);
    EXPECT_EQ(days_since_epoch(clock.date), count);
  }
}

TEST(Calendar, ADayBeyondItsMonthIsOneOfTheNext) {
  EXPECT_EQ(days_of(2026, 2, 31), days_of(2026, 3, 3));
  EXPECT_EQ(days_of(2024, 2, 31), days_of(2024, 3, 2));
  EXPECT_EQ(days_since_epoch({2026, 3, -1}), days_of(2026, 2, 27));
}

TEST(Calendar, YearsBeyondThoseOfTheStandardLibraryWork) {
  EXPECT_EQ(clock_time_of(days_since_epoch({1'000'000, 7, 9}) * kSecondsOfDay).date.year,
            1'000'000);
  EXPECT_EQ(clock_time_of(days_since_epoch({-1'000'000, 7, 9}) * kSecondsOfDay).date.year,
            -1'000'000);
}

// The days around New Year whose weeks are of another year.
TEST(IsoWeek, BelongsToTheYearOfItsThursday) {
  const auto week = [](int year, unsigned month, unsigned day) {
    const IsoWeek found = iso_week_of({year, month, day});
    return found.year * 100 + found.week;
  };
  EXPECT_EQ(week(2024, 12, 29), 202452);
  EXPECT_EQ(week(2024, 12, 30), 202501);
  EXPECT_EQ(week(2025, 1, 5), 202501);
  EXPECT_EQ(week(2025, 1, 6), 202502);
  EXPECT_EQ(week(2020, 12, 31), 202053);
  EXPECT_EQ(week(2021, 1, 3), 202053);
  EXPECT_EQ(week(2021, 1, 4), 202101);
  EXPECT_EQ(week(1969, 12, 28), 196952);
  EXPECT_EQ(week(1969, 12, 29), 197001);
}

}  // namespace
}  // namespace restree
