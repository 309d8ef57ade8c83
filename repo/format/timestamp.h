// A point in time as backups record it: nanoseconds, any year, and the zone it was written in.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace restree {

struct Timestamp {
  std::int64_t seconds = 0;  // since 1970-01-01T00:00:00Z, negative before
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const Timestamp&) const = default;
};

// RFC 3339 with up to nine fractional digits and any offset; nullopt if it is not that.
std::optional<Timestamp> parse_timestamp(std::string_view text);

// RFC 3339 in UTC, without trailing zeros in the fraction. For the years 0 to 9999.
std::string format_timestamp(Timestamp time);

}  // namespace restree
