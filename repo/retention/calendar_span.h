// A span of time in years, months, days and hours, as policies have it: 1y6m, 7d, 12h.
//
// Pure functions of values; any thread.
// Errors: kInvalid, in restic's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "repo/base/result.h"
#include "repo/text/timestamp.h"

namespace restree {

struct CalendarSpan {
  // Numbers beyond this are refused: a million years of hours.
  static constexpr std::int64_t kMost = 10'000'000'000;

  std::int64_t years = 0;
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t hours = 0;

  bool operator==(const CalendarSpan&) const = default;
  bool is_zero() const { return *this == CalendarSpan(); }
  bool has_negative_part() const { return years < 0 || months < 0 || days < 0 || hours < 0; }
  // "1y6m2d12h", without the parts that are zero; empty: no span.
  std::string text() const;

  // Numbers, each with a unit behind it, in any order; of a unit that is named twice, the last
  // counts. An empty text is no span.
  static Result<CalendarSpan> parse(std::string_view text);
};

// The moment that lies this span before `time`, as Go's Time.AddDate finds it: years, months and days
// are taken off the date that a clock shows at `time`, whose time of day stays; a day that its month
// does not have is one of the next month (31 March minus a month is 31 February, which is 3 March);
// then the hours are taken off. The clock is that of `zone` if it shows the offset of `time` at that
// moment, and else one with this offset for good. A time in UTC stays in UTC.
Timestamp moment_before(const ZonedTimestamp& time, const CalendarSpan& span, const TimeZone& zone);

}  // namespace restree
