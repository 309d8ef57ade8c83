// How much memory this process may have at most, for what has to be bounded but not small.
#pragma once

#include <cstdint>

namespace restree {

// In bytes: the machine's memory, a container's share of it (/sys/fs/cgroup/memory.max), the
// process's own limit (ulimit -v), or what a 32-bit processor can address, whichever is least.
// Threads: any.
std::uint64_t memory_allowed();

}  // namespace restree
