// What this process can be sure of about the machine that it runs on, and about the other processes
// there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "repo/format/lock_file.h"
#include "repo/text/timestamp.h"

namespace restree {

// A process number in the PID namespace of this process.
struct ProcessSight {
  // No process has that number, or only one that has ended and was not waited for. False if a
  // process is there, and if that cannot be found out.
  bool is_gone = false;
  // When the process began, where /proc shows it: in ticks since the start of the machine, and as
  // a time, which moves when the clock is set.
  std::optional<std::uint64_t> start_ticks = {};
  std::optional<Timestamp> started = {};
};

// A value, so that tests can have machines of their own.
struct Machine {
  std::string hostname;
  std::uint32_t pid = 0;
  // Of this process. nullopt if /proc is not there, or shows another PID namespace: then nothing is
  // certain about others either.
  std::optional<LockPlace> place = {};
  std::function<ProcessSight(std::uint32_t pid)> look_at = {};
};

// look_at() sends no signal but the empty one, which is allowed to fail with EPERM: SIGHUP, with
// which restic asks, ends programs that do not expect it.
// Threads: any. The result describes the calling process: a child after fork() needs its own.
Machine this_machine();

// The first PID namespace of every Linux kernel, in which no container is.
bool is_first_pid_namespace(const std::string& pid_namespace);

}  // namespace restree
