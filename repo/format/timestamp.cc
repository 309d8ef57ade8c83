#include "repo/format/timestamp.h"

#include <fmt/core.h>

#include <chrono>
#include <cstddef>

namespace restree {
namespace {

constexpr std::size_t kFractionDigits = 9;

// Takes its parts off the front of the text; `ok` turns false for good when one does not fit.
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
std::int64_t zone_offset(Scanner& scan) {
  if (scan.skip_if('Z')) return 0;
  const bool west = scan.skip_if('-');
  if (!west) scan.skip('+');
  const std::int64_t hours = scan.digits(2, 24);
  scan.skip(':');
  const std::int64_t minutes = scan.digits(2, 59);
  const std::int64_t seconds = (hours * 60 + minutes) * 60;
  return west ? -seconds : seconds;
}

}  // namespace

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  using namespace std::chrono;
  Scanner scan(text);
  const year y(scan.digits(4, 9999));
  scan.skip('-');
  const month m(static_cast<unsigned>(scan.digits(2, 12)));
  scan.skip('-');
  const day d(static_cast<unsigned>(scan.digits(2, 31)));
  scan.skip('T');
  const std::int64_t hour = scan.digits(2, 23);
  scan.skip(':');
  const std::int64_t minute = scan.digits(2, 59);
  scan.skip(':');
  const std::int64_t second = scan.digits(2, 59);
  Timestamp time;
  if (scan.skip_if('.')) time.nanoseconds = scan.fraction();
  const std::int64_t offset = zone_offset(scan);
  const year_month_day date(y, m, d);
  if (!scan.ok() || !scan.at_end() || !date.ok()) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  time.seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset;
  return time;
}

std::string format_timestamp(Timestamp time) {
  using std::chrono::days;
  const std::chrono::sys_seconds second{std::chrono::seconds(time.seconds)};
  const auto midnight = std::chrono::floor<days>(second);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss clock{second - midnight};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()}, unsigned{date.month()},
                  unsigned{date.day()}, clock.hours().count(), clock.minutes().count(),
                  clock.seconds().count());
  if (time.nanoseconds != 0) {
    text += fmt::format(".{:09}", time.nanoseconds);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text += 'Z';
}

}  // namespace restree
