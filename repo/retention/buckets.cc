#include "repo/retention/buckets.h"

#include <fmt/core.h>

#include "repo/text/calendar.h"

namespace restree {
namespace {

ClockTime shown_by_its_clock(const ZonedTimestamp& time) {
  return clock_time_of(time.time.seconds + time.offset_seconds);
}

}  // namespace

std::string_view rule_word(BucketKind kind) {
  static constexpr std::array<std::string_view, kBucketKinds> kWords = {
      "last", "hourly", "daily", "weekly", "monthly", "yearly"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::string_view bucket_word(BucketKind kind) {
  static constexpr std::array<std::string_view, kBucketKinds> kWords = {
      "snapshot", "hour", "day", "week", "month", "year"};
  return kWords[static_cast<std::size_t>(kind)];
}

std::int64_t bucket_of(BucketKind kind, const ZonedTimestamp& time) {
  const ClockTime clock = shown_by_its_clock(time);
  const CalendarDate& date = clock.date;
  switch (kind) {
    case BucketKind::kEach:
      return 0;
    case BucketKind::kHour:
      return ((date.year * 100 + date.month) * 100 + date.day) * 100 + clock.second_of_day / 3600;
    case BucketKind::kDay:
      return (date.year * 100 + date.month) * 100 + date.day;
    case BucketKind::kWeek: {
      const IsoWeek week = iso_week_of(date);
      return week.year * 100 + week.week;
    }
    case BucketKind::kMonth:
      return date.year * 100 + date.month;
    case BucketKind::kYear:
      return date.year;
  }
  return 0;
}

std::string bucket_name(BucketKind kind, const ZonedTimestamp& time) {
  const ClockTime clock = shown_by_its_clock(time);
  const CalendarDate& date = clock.date;
  switch (kind) {
    case BucketKind::kEach:
      return "";
    case BucketKind::kHour:
      return fmt::format("{:04}-{:02}-{:02} {:02}h", date.year, date.month, date.day,
                         clock.second_of_day / 3600);
    case BucketKind::kDay:
      return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
    case BucketKind::kWeek: {
      const IsoWeek week = iso_week_of(date);
      return fmt::format("{:04}-W{:02}", week.year, week.week);
    }
    case BucketKind::kMonth:
      return fmt::format("{:04}-{:02}", date.year, date.month);
    case BucketKind::kYear:
      return fmt::format("{:04}", date.year);
  }
  return "";
}

}  // namespace restree
