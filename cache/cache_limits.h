// How much of a disk a repository's cache may take, and how long readers and writers wait for that
// disk.
#pragma once

#include <chrono>
#include <cstdint>

namespace restree {

struct CacheLimits {
  std::uint64_t size_bytes = std::uint64_t{10} << 30;
  // What must stay free on the disk: this many bytes or this part of the disk, whichever is more.
  std::uint64_t least_free_bytes = 0;
  unsigned least_free_percent = 10;
  // How long a writer waits for another process's turn to end. A busy disk makes turns longer.
  std::chrono::milliseconds turn_patience{5000};
  // How long a reader waits for room in the queue of a slow disk. After that the bytes it has read
  // are not cached.
  std::chrono::milliseconds queue_patience{2000};
};

}  // namespace restree
