// Whether the process that a lock file names is still there.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "repo/format/lock_file.h"
#include "repo/lock/machine.h"

namespace restree {

// Holders refresh their locks every five minutes; restic takes one this old for dead.
inline constexpr std::chrono::minutes kStaleAge{30};

// Why it is certain that nobody holds the lock any more ("there is no process 17 …"), or nullopt if
// somebody may. Only locks that say where their process runs can be certain, and only from the
// same boot and PID namespace; or after a restart of the same machine, once the lock is old as
// well. What a host name, a process number or a clock says alone is not enough: containers share
// host names, and clocks differ.
std::optional<std::string> why_dead(const LockFile& lock, const Machine& machine, Timestamp now);

// The same by restic's rule, for `unlock`, which people call because they know more: a lock is also
// stale if it is older than kStaleAge, or if it has this host's name and no place, and its process
// is not here or has begun after the lock was written.
std::optional<std::string> why_stale(const LockFile& lock, const Machine& machine, Timestamp now);

}  // namespace restree
