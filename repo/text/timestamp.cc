#include "repo/text/timestamp.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>

#include "repo/text/calendar.h"

namespace restree {
namespace {

constexpr std::size_t kFractionDigits = 9;

// Takes parts off the front of a text; `ok` turns false for good when one does not fit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  bool skip_if(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip(char c) { ok_ = skip_if(c) && ok_; }
  int digits(std::size_t count, int maximum) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!at_digit()) {
        ok_ = false;
        return 0;
      }
      value = 10 * value + take_digit();
    }
    ok_ = ok_ && value <= maximum;
    return value;
  }
  // The digits behind the point, in nanoseconds.
  std::uint32_t fraction() {
    std::uint32_t value = 0;
    std::size_t count = 0;
    for (; count < kFractionDigits && at_digit(); ++count) {
      value = 10 * value + static_cast<std::uint32_t>(take_digit());
    }
    ok_ = ok_ && count > 0;
    for (; count < kFractionDigits; ++count) value *= 10;
    return value;
  }

 private:
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  int take_digit() {
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

// Seconds to add to UTC for the zone: "Z", "+02:00", "-03:30".
std::int32_t zone_offset(Scanner& scan) {
  if (scan.skip_if('Z')) return 0;
  const bool west = scan.skip_if('-');
  if (!west) scan.skip('+');
  const std::int32_t hours = scan.digits(2, 24);
  scan.skip(':');
  const std::int32_t minutes = scan.digits(2, 59);
  const std::int32_t seconds = (hours * 60 + minutes) * 60;
  return west ? -seconds : seconds;
}

constexpr std::int64_t kFirstYear = 0;
constexpr std::int64_t kLastYear = 9999;

void append_digits(std::int64_t value, std::size_t count, std::string& out) {
  const std::size_t end = out.size() + count;
  out.resize(end);
  for (std::size_t at = 1; at <= count; ++at, value /= 10) {
    out[end - at] = static_cast<char>('0' + value % 10);
  }
}

void append_fraction(std::uint32_t nanoseconds, std::string& out) {
  if (nanoseconds == 0) return;
  out += '.';
  append_digits(nanoseconds, kFractionDigits, out);
  out.erase(out.find_last_not_of('0') + 1);
}

void append_zone(std::int32_t offset_seconds, std::string& out) {
  const std::int32_t minutes = offset_seconds / 60;
  if (offset_seconds == 0) {
    out += 'Z';
    return;
  }
  out += offset_seconds < 0 ? '-' : '+';
  append_digits(std::abs(minutes) / 60, 2, out);
  out += ':';
  append_digits(std::abs(minutes) % 60, 2, out);
}

void append_moment(const ClockTime& moment, std::uint32_t nanoseconds, std::int32_t offset_seconds,
                   std::string& out) {
  append_digits(moment.date.year, 4, out);
  out += '-';
  append_digits(moment.date.month, 2, out);
  out += '-';
  append_digits(moment.date.day, 2, out);
  out += 'T';
  append_digits(moment.second_of_day / 3600, 2, out);
  out += ':';
  append_digits(moment.second_of_day / 60 % 60, 2, out);
  out += ':';
  append_digits(moment.second_of_day % 60, 2, out);
  append_fraction(nanoseconds, out);
  append_zone(offset_seconds, out);
}

}  // namespace

namespace {

// Date and time of day as clocks show them, in seconds since 1970; the caller asks the scanner
// whether they could be read.
std::optional<std::int64_t> clock_seconds(Scanner& scan, char between) {
  using namespace std::chrono;
  const year y(scan.digits(4, 9999));
  scan.skip('-');
  const month m(static_cast<unsigned>(scan.digits(2, 12)));
  scan.skip('-');
  const day d(static_cast<unsigned>(scan.digits(2, 31)));
  scan.skip(between);
  const std::int64_t hour = scan.digits(2, 23);
  scan.skip(':');
  const std::int64_t minute = scan.digits(2, 59);
  scan.skip(':');
  const std::int64_t second = scan.digits(2, 59);
  const year_month_day date(y, m, d);
  if (!scan.ok() || !date.ok()) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

}  // namespace

std::optional<ZonedTimestamp> parse_zoned_timestamp(std::string_view text) {
  Scanner scan(text);
  const auto seconds = clock_seconds(scan, 'T');
  Timestamp time;
  if (scan.skip_if('.')) time.nanoseconds = scan.fraction();
  const std::int32_t offset = zone_offset(scan);
  if (!seconds || !scan.ok() || !scan.at_end()) return std::nullopt;
  time.seconds = *seconds - offset;
  return ZonedTimestamp{time, offset};
}

std::optional<Timestamp> parse_local_time(std::string_view text, const TimeZone& zone) {
  Scanner scan(text);
  const auto seconds = clock_seconds(scan, ' ');
  std::uint32_t nanoseconds = 0;
  if (scan.skip_if('.') || scan.skip_if(',')) nanoseconds = scan.fraction();
  if (!seconds || !scan.ok() || !scan.at_end()) return std::nullopt;
  return Timestamp{zone.to_utc(*seconds), nanoseconds};
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  const auto zoned = parse_zoned_timestamp(text);
  return zoned ? std::optional(zoned->time) : std::nullopt;
}

std::string format_zoned_timestamp(ZonedTimestamp time) {
  std::string text;
  const ClockTime moment = clock_time_of(time.time.seconds + time.offset_seconds);
  append_moment(moment, time.time.nanoseconds, time.offset_seconds, text);
  return text;
}

std::string format_timestamp(Timestamp time) {
  return format_zoned_timestamp(ZonedTimestamp{time, 0});
}

ZonedTimestamp in_zone(Timestamp time, const TimeZone& zone) {
  return {time, zone.offset_at(time.seconds)};
}

void append_timestamp(Timestamp time, const TimeZone& zone, std::string& out) {
  std::int32_t offset = zone.offset_at(time.seconds);
  ClockTime moment = clock_time_of(time.seconds + offset);
  if (moment.date.year < kFirstYear || moment.date.year > kLastYear) {
    moment.date.year = std::clamp(moment.date.year, kFirstYear, kLastYear);
    // 29 February becomes 1 March, and the zone may have had another offset in that year.
    time.seconds =
        zone.to_utc(days_since_epoch(moment.date) * kSecondsOfDay + moment.second_of_day);
    offset = zone.offset_at(time.seconds);
    moment = clock_time_of(time.seconds + offset);
  }
  append_moment(moment, time.nanoseconds, offset, out);
}

}  // namespace restree
