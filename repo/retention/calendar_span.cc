#include "repo/retention/calendar_span.h"

#include <fmt/core.h>

#include "repo/text/calendar.h"
#include "repo/text/go_quote.h"

namespace restree {
namespace {

constexpr std::int64_t kSecondsOfHour = 3600;

std::string_view without_spaces_around(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The byte as restic prints it, which takes each for a rune of its own.
std::string quoted_byte(char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  const auto byte = static_cast<unsigned char>(c);
  std::string rune;
  if (byte >= 0x80) {
    rune += static_cast<char>(0xC0 | byte >> 6);
    rune += static_cast<char>(0x80 | (byte & 0x3F));
  } else {
    rune += c;
  }
  std::string quoted = "'";
  append_go_quoted(rune, quoted);
  return quoted + "'";
}

// The number that `text` begins with, which is taken off.
Result<std::int64_t> take_number(std::string_view& text) {
  const bool is_negative = text.starts_with('-');
  std::size_t end = is_negative ? 1 : 0;
  const std::size_t first = end;
  std::int64_t number = 0;
  bool is_too_large = false;
  for (; end < text.size() && is_digit(text[end]); ++end) {
    if (!is_too_large) number = number * 10 + (text[end] - '0');
    is_too_large = is_too_large || number > CalendarSpan::kMost;
  }
  if (end == first) return Error(ErrorKind::kInvalid, "no number found");
  if (is_too_large) {
    return Error(ErrorKind::kInvalid, fmt::format("number {} is too large", text.substr(0, end)));
  }
  text.remove_prefix(end);
  return is_negative ? -number : number;
}

}  // namespace

std::string CalendarSpan::text() const {
  std::string out;
  if (years != 0) out += fmt::format("{}y", years);
  if (months != 0) out += fmt::format("{}m", months);
  if (days != 0) out += fmt::format("{}d", days);
  if (hours != 0) out += fmt::format("{}h", hours);
  return out;
}

Result<CalendarSpan> CalendarSpan::parse(std::string_view text) {
  CalendarSpan span;
  std::string_view rest = without_spaces_around(text);
  while (!rest.empty()) {
    ASSIGN_OR_RETURN(const std::int64_t number, take_number(rest));
    if (rest.empty()) {
      return Error(ErrorKind::kInvalid, fmt::format("no unit found after number {}", number));
    }
    switch (rest.front()) {
      case 'y':
        span.years = number;
        break;
      case 'm':
        span.months = number;
        break;
      case 'd':
        span.days = number;
        break;
      case 'h':
        span.hours = number;
        break;
      default:
        return Error(ErrorKind::kInvalid, fmt::format("invalid unit {} found after number {}",
                                                      quoted_byte(rest.front()), number));
    }
    rest.remove_prefix(1);
  }
  return span;
}

Timestamp moment_before(const ZonedTimestamp& time, const CalendarSpan& span,
                        const TimeZone& zone) {
  const bool is_fixed =
      time.offset_seconds == 0 || zone.offset_at(time.time.seconds) != time.offset_seconds;
  ClockTime clock = clock_time_of(time.time.seconds + time.offset_seconds);
  const std::int64_t months =
      (clock.date.year - span.years) * 12 + clock.date.month - 1 - span.months;
  clock.date.year = floor_divide(months, 12);
  clock.date.month = months - clock.date.year * 12 + 1;
  clock.date.day -= span.days;
  const std::int64_t shown = days_since_epoch(clock.date) * kSecondsOfDay + clock.second_of_day;
  const std::int64_t seconds = is_fixed ? shown - time.offset_seconds : zone.to_utc(shown);
  return {seconds - span.hours * kSecondsOfHour, time.time.nanoseconds};
}

}  // namespace restree
