#include "repo/lock/lock_holder.h"

#include <fmt/core.h>

#include <cstdint>

namespace restree {
namespace {

// The boot time in /proc moves a little as the clock is set; processes begin before they lock.
constexpr std::int64_t kClockSlackSeconds = 5;

std::int64_t age_in_seconds(const LockFile& lock, Timestamp now) {
  return now.seconds - lock.time.seconds;
}

bool is_old(const LockFile& lock, Timestamp now) {
  return age_in_seconds(lock, now) > std::chrono::seconds(kStaleAge).count();
}

bool has_this_host_name(const LockFile& lock, const Machine& machine) {
  return !lock.hostname.empty() && lock.hostname == machine.hostname;
}

std::string no_process(const LockFile& lock) {
  return fmt::format("there is no process {} on this host any more", lock.pid);
}

std::string another_process(const LockFile& lock) {
  return fmt::format("process {} on this host is another one, begun later", lock.pid);
}

// `theirs` is lock.place, and `ours` machine.place.
std::optional<std::string> why_dead_in_this_boot(const LockFile& lock, const LockPlace& theirs,
                                                 const Machine& machine, const LockPlace& ours) {
  if (theirs.pid_namespace != ours.pid_namespace) return std::nullopt;
  const ProcessSight sight = machine.look_at(lock.pid);
  if (sight.is_gone) return no_process(lock);
  // The ticks that /proc shows begin elsewhere in another time namespace.
  const bool same_ticks = theirs.time_namespace == ours.time_namespace;
  if (same_ticks && sight.start_ticks && *sight.start_ticks != theirs.start_ticks) {
    return another_process(lock);
  }
  return std::nullopt;
}

// Copies of one virtual machine, or of one container's image, may share name and machine id. But
// containers are not in the first PID namespace, and a copy that lives has a lock that is not old.
std::optional<std::string> why_dead_before_this_boot(const LockFile& lock, const LockPlace& theirs,
                                                     const LockPlace& ours, Timestamp now) {
  if (theirs.machine.empty() || theirs.machine != ours.machine) return std::nullopt;
  if (!is_first_pid_namespace(theirs.pid_namespace)) return std::nullopt;
  if (!is_first_pid_namespace(ours.pid_namespace)) return std::nullopt;
  if (!is_old(lock, now)) return std::nullopt;
  return "this host has been restarted since";
}

}  // namespace

std::optional<std::string> why_dead(const LockFile& lock, const Machine& machine, Timestamp now) {
  const std::optional<LockPlace>& theirs = lock.place;
  const std::optional<LockPlace>& ours = machine.place;
  if (!theirs || !ours || !has_this_host_name(lock, machine)) return std::nullopt;
  if (theirs->boot_id.empty() || theirs->pid_namespace.empty()) return std::nullopt;
  if (theirs->boot_id == ours->boot_id) {
    return why_dead_in_this_boot(lock, *theirs, machine, *ours);
  }
  return why_dead_before_this_boot(lock, *theirs, *ours, now);
}

std::optional<std::string> why_stale(const LockFile& lock, const Machine& machine, Timestamp now) {
  if (is_old(lock, now)) {
    return fmt::format("it has not been refreshed for {} minutes", age_in_seconds(lock, now) / 60);
  }
  if (lock.place) return why_dead(lock, machine, now);
  if (!has_this_host_name(lock, machine)) return std::nullopt;
  const ProcessSight sight = machine.look_at(lock.pid);
  if (sight.is_gone) return no_process(lock);
  if (sight.started && sight.started->seconds > lock.time.seconds + kClockSlackSeconds) {
    return another_process(lock);
  }
  return std::nullopt;
}

}  // namespace restree
