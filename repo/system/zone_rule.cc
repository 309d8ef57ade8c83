#include "repo/system/zone_rule.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <utility>

namespace restree {
namespace {

constexpr std::int32_t kHour = 3600;
constexpr std::int64_t kDay = 86400;

// Takes the parts of a rule off its front; nullopt if there is no such part.
class RuleScanner {
 public:
  explicit RuleScanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool skip_if(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // "CET" or "<+0330>".
  bool skip_name() {
    if (skip_if('<')) {
      const std::size_t end = rest_.find('>');
      if (end == std::string_view::npos) return false;
      rest_.remove_prefix(end + 1);
      return true;
    }
    std::size_t length = 0;
    while (length < rest_.size() && is_letter(rest_[length])) ++length;
    rest_.remove_prefix(length);
    return length >= 3;
  }

  std::optional<int> number(int minimum, int maximum) {
    int value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && is_digit(rest_[digits]); ++digits) {
      value = 10 * value + (rest_[digits] - '0');
      if (value > maximum) return std::nullopt;
    }
    if (digits == 0 || value < minimum) return std::nullopt;
    rest_.remove_prefix(digits);
    return value;
  }

  // "-3:30:52", in seconds.
  std::optional<std::int32_t> duration() {
    const bool negative = skip_if('-');
    if (!negative) skip_if('+');
    const auto hours = number(0, 24 * 7);
    if (!hours) return std::nullopt;
    std::int32_t seconds = *hours * kHour;
    for (const std::int32_t unit : {60, 1}) {
      if (!skip_if(':')) break;
      const auto value = number(0, 59);
      if (!value) return std::nullopt;
      seconds += *value * unit;
    }
    return negative ? -seconds : seconds;
  }

  // ",M3.5.0/2", ",J60", ",59".
  std::optional<ZoneRule::Change> change() {
    if (!skip_if(',')) return std::nullopt;
    auto parsed = day_of_change();
    if (!parsed || !skip_if('/')) return parsed;
    const auto seconds = duration();
    if (!seconds) return std::nullopt;
    parsed->seconds = *seconds;
    return parsed;
  }

 private:
  static bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::optional<ZoneRule::Change> day_of_change() {
    using Kind = ZoneRule::Change::Kind;
    ZoneRule::Change change;
    if (skip_if('M')) {
      const auto month = number(1, 12);
      if (!month || !skip_if('.')) return std::nullopt;
      const auto week = number(1, 5);
      if (!week || !skip_if('.')) return std::nullopt;
      const auto day = number(0, 6);
      if (!day) return std::nullopt;
      change.month = *month;
      change.week = *week;
      change.day = *day;
      return change;
    }
    const bool julian = skip_if('J');
    const auto day = julian ? number(1, 365) : number(0, 365);
    if (!day) return std::nullopt;
    change.kind = julian ? Kind::kJulianDay : Kind::kDayOfYear;
    change.day = *day;
    return change;
  }

  std::string_view rest_;
};

std::chrono::sys_days first_of(std::chrono::year year) {
  return std::chrono::sys_days{year / std::chrono::January / 1};
}

std::chrono::sys_days day_of(const ZoneRule::Change& change, std::chrono::year year) {
  using std::chrono::days;
  using Kind = ZoneRule::Change::Kind;
  switch (change.kind) {
    case Kind::kJulianDay: {
      const bool after_leap_day = year.is_leap() && change.day >= 60;
      return first_of(year) + days(change.day - 1 + (after_leap_day ? 1 : 0));
    }
    case Kind::kDayOfYear:
      return first_of(year) + days(change.day);
    case Kind::kWeekdayOfMonth:
      break;
  }
  const std::chrono::month month{static_cast<unsigned>(change.month)};
  const std::chrono::weekday weekday{static_cast<unsigned>(change.day)};
  if (change.week == 5) return std::chrono::sys_days{year / month / weekday[std::chrono::last]};
  return std::chrono::sys_days{year / month / weekday[static_cast<unsigned>(change.week)]};
}

std::int64_t moment_of(const ZoneRule::Change& change, std::chrono::year year,
                       std::int32_t offset_before) {
  return day_of(change, year).time_since_epoch().count() * kDay + change.seconds - offset_before;
}

}  // namespace

std::optional<ZoneRule> ZoneRule::parse(std::string_view text) {
  RuleScanner scan(text);
  ZoneRule rule;
  if (!scan.skip_name()) return std::nullopt;
  const auto west = scan.duration();
  if (!west) return std::nullopt;
  rule.standard_offset_ = -*west;
  if (scan.at_end()) return rule;

  rule.has_daylight_saving_ = true;
  rule.daylight_offset_ = rule.standard_offset_ + kHour;
  if (!scan.skip_name()) return std::nullopt;
  if (const auto daylight_west = scan.duration()) rule.daylight_offset_ = -*daylight_west;
  const auto begin = scan.change();
  const auto end = scan.change();
  if (!begin || !end || !scan.at_end()) return std::nullopt;
  rule.begin_ = *begin;
  rule.end_ = *end;
  return rule;
}

std::int32_t ZoneRule::offset_at(std::int64_t seconds) const {
  using std::chrono::days;
  if (!has_daylight_saving_) return standard_offset_;
  // The calendar repeats every 400 years; std::chrono::year does not reach as far as our seconds.
  constexpr std::int64_t kEra = 146097 * kDay;
  seconds = ((seconds % kEra) + kEra) % kEra;
  const auto day =
      std::chrono::floor<days>(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
  const std::chrono::year year = std::chrono::year_month_day(day).year();
  std::int64_t begin = moment_of(begin_, year, standard_offset_);
  std::int64_t end = moment_of(end_, year, daylight_offset_);
  std::int32_t between = daylight_offset_;
  std::int32_t otherwise = standard_offset_;
  if (end < begin) {  // south of the equator
    std::swap(begin, end);
    std::swap(between, otherwise);
  }
  return begin <= seconds && seconds < end ? between : otherwise;
}

}  // namespace restree
