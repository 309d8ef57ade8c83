// Snapshots that are dated in the future, by a wrong clock or by somebody who wants to be the latest.
//
// Pure functions of values; any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "repo/format/snapshot.h"

namespace restree {

// So far may the clocks of two machines differ. `restree audit` finds what is beyond it.
inline constexpr std::int64_t kMostAheadSeconds = 24 * 3600;

inline bool is_of_future(Timestamp dated, Timestamp now) {
  return dated.seconds > now.seconds + kMostAheadSeconds;
}

// The one that `latest` means: the newest that is not dated in the future. Only if all of them are, the
// newest of these: then the clock of this machine is wrong. nullptr: there are none.
const Snapshot* latest_of(const std::vector<const Snapshot*>& snapshots, Timestamp now);

// Says in the log that a newer one is passed over, or that `latest` itself is dated in the future.
void warn_of_future(const std::vector<const Snapshot*>& snapshots, const Snapshot& latest,
                    Timestamp now);

}  // namespace restree
