// Until when a policy keeps the snapshots of a group, if backups go on as they have.
//
// The future is played through: at the usual interval a backup is made, and the policy is applied.
// Later backups have no tags, and the clocks of the process's zone.
// A pure function of values; any thread.
// Limits: kMostSteps backups, and kMostWork snapshots judged, tens of milliseconds of one group.
#pragma once

#include <cstdint>
#include <vector>

#include "repo/retention/apply_policy.h"

namespace restree {

struct Expiry {
  enum class Kind : std::uint8_t {
    kNow,        // the policy does not keep it
    kOn,         // the backup at `when` lets the policy drop it
    kNotBefore,  // it is still kept at `when`, where the forecast ends
    kNever,      // a tag keeps it, or a rule without a limit
  };
  Kind kind;
  ZonedTimestamp when = {};

  bool operator==(const Expiry&) const = default;
};

struct Forecast {
  std::int64_t interval_seconds;
  std::vector<Expiry> expiries;  // of each that was judged, in the same order
};

inline constexpr std::size_t kMostSteps = 20'000;
inline constexpr std::size_t kMostWork = 400'000;

// The middle one of the times between the newest snapshots that are not in the future, eleven at
// most; a day if there are fewer than two; no less than a quarter of an hour.
std::int64_t usual_interval(const std::vector<JudgedSnapshot>& judged, Timestamp now);

// `judged` as apply_policy() gives it.
Forecast forecast(const std::vector<JudgedSnapshot>& judged, const RetentionPolicy& policy,
                  Timestamp now, const TimeZone& zone);

}  // namespace restree
