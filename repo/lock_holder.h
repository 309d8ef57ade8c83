// Whether the process that a lock file names is still there.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "repo/format/lock_file.h"

namespace restree {

// Holders refresh their locks every five minutes; restic takes one this old for dead.
inline constexpr std::chrono::minutes kStaleAge{30};

// Why nobody holds the lock any more ("its process is gone"), or nullopt if somebody may: the lock
// is older than kStaleAge, or its process on this host is gone, dead and not yet reaped, or has
// begun after the lock was written, so that it only has the same number.
// No signal is sent, as restic does: SIGHUP ends programs that do not know of it.
std::optional<std::string> why_stale(const LockFile& lock, Timestamp now);
// The same, but from what is known of this host's processes alone, whatever the clocks say.
std::optional<std::string> why_dead(const LockFile& lock);

// A process of this host: when it began; nullopt if there is none of that number, or only its
// remains.
std::optional<Timestamp> process_start(std::uint32_t pid);

}  // namespace restree
