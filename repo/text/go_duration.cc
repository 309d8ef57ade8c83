#include "repo/text/go_duration.h"

#include <cstdint>

namespace restree {
namespace {

// "1.5" for 1'500 of a unit of 1'000.
std::string with_fraction(std::uint64_t value, std::uint64_t unit) {
  std::string text = std::to_string(value / unit);
  std::string fraction = std::to_string(unit + value % unit).substr(1);
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return fraction.empty() ? text : text + '.' + fraction;
}

}  // namespace

std::string go_duration_between(Timestamp begin, Timestamp end) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::uint64_t kMostSeconds = INT64_MAX / kSecond;
  if (end <= begin) return "0s";
  const auto whole =
      static_cast<std::uint64_t>(end.seconds) - static_cast<std::uint64_t>(begin.seconds);
  const std::uint64_t nanoseconds =
      whole >= kMostSeconds ? INT64_MAX : whole * kSecond + end.nanoseconds - begin.nanoseconds;
  if (nanoseconds < 1'000) return std::to_string(nanoseconds) + "ns";
  if (nanoseconds < 1'000'000) return with_fraction(nanoseconds, 1'000) + "\u00b5s";
  if (nanoseconds < kSecond) return with_fraction(nanoseconds, 1'000'000) + "ms";
  const std::uint64_t minutes = nanoseconds / (60 * kSecond);
  std::string text = minutes < 60 ? "" : std::to_string(minutes / 60) + "h";
  if (minutes > 0) text += std::to_string(minutes % 60) + "m";
  return text + with_fraction(nanoseconds % (60 * kSecond), kSecond) + "s";
}

}  // namespace restree
