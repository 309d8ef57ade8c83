// How much memory this process may have at most, for what has to be bounded but not small.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace restree {

// In bytes: the machine's memory, the share of it that a container or a service has (control groups of
// either version), the process's own limit (ulimit -v), or what a 32-bit processor can address,
// whichever is least. Threads: any.
std::uint64_t memory_allowed();

// The files in which the limits of a process are that /proc/self/cgroup describes by `groups`: of its own
// group, and of each that holds that one. For memory_allowed() and its tests.
std::vector<std::string> memory_limit_files(std::string_view groups);

}  // namespace restree
