#include "repo/system/memory_allowed.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace restree {
namespace {

// A kernel of 32 bits keeps a quarter of the addresses for itself.
constexpr std::uint64_t kMostWith32Bits = std::uint64_t{3} << 30;

}  // namespace

std::uint64_t memory_allowed() {
  std::uint64_t bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                        static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  if constexpr (sizeof(void*) == 4) bytes = std::min(bytes, kMostWith32Bits);
  std::ifstream file("/sys/fs/cgroup/memory.max");
  std::uint64_t share = 0;
  if (file >> share) bytes = std::min(bytes, share);  // "max" is not a number
  rlimit own{};
  if (::getrlimit(RLIMIT_AS, &own) == 0 && own.rlim_cur != RLIM_INFINITY) {
    bytes = std::min<std::uint64_t>(bytes, own.rlim_cur);
  }
  return bytes;
}

}  // namespace restree
