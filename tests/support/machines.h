// Machines that tests make up, and the locks of processes there.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "repo/format/lock_file.h"
#include "repo/identity.h"
#include "repo/lock/machine.h"

namespace restree::testing {

inline constexpr const char* kFirstNamespace = "4:4026531836";

// A host named "here" in its first PID namespace, whose only processes are those in `processes`.
struct MadeUpMachine {
  std::map<std::uint32_t, ProcessSight> processes;
  LockPlace place{.boot_id = "boot 1",
                  .machine = "machine 1",
                  .pid_namespace = kFirstNamespace,
                  .time_namespace = "4:4026531834",
                  .start_ticks = 100};

  Machine seen_by(std::uint32_t pid) const {
    return {.hostname = "here",
            .pid = pid,
            .place = place,
            .look_at = [seen = processes](std::uint32_t other) {
              const auto found = seen.find(other);
              return found == seen.end() ? ProcessSight{.is_gone = true} : found->second;
            }};
  }
};

inline Timestamp seconds_ago(std::int64_t seconds) {
  Timestamp time = wall_clock_now();
  time.seconds -= seconds;
  return time;
}

}  // namespace restree::testing
