// How much of a disk a repository's cache may take, and how long anybody waits for that disk.
#pragma once

#include <chrono>
#include <cstdint>

namespace restree {

struct CacheLimits {
  std::uint64_t size_bytes = std::uint64_t{10} << 30;
  // What must stay free on the disk: so much, or this part of it, whichever is more.
  std::uint64_t least_free_bytes = 0;
  unsigned least_free_percent = 10;
  // How long a writer waits for another process's turn to end, which a busy disk makes longer.
  std::chrono::milliseconds turn_patience{5000};
  // How long a reader waits for a slow disk to take what he has read, before it goes without.
  std::chrono::milliseconds queue_patience{2000};
};

}  // namespace restree
