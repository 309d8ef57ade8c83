// How much of a disk a repository's cache may take.
#pragma once

#include <cstdint>

namespace restree {

struct CacheLimits {
  std::uint64_t size_bytes = std::uint64_t{10} << 30;
  // What must stay free on the disk: so much, or this part of it, whichever is more.
  std::uint64_t least_free_bytes = 0;
  unsigned least_free_percent = 10;
};

}  // namespace restree
