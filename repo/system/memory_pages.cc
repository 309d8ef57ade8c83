#include "repo/system/memory_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace restree {

void give_back_pages(MutableByteView memory) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
  const std::uintptr_t first = (begin + page - 1) / page * page;
  const std::uintptr_t last = (begin + memory.size()) / page * page;
  if (first >= last) return;
  // If this fails, the process only keeps the pages.
  ::madvise(memory.data() + (first - begin), last - first, MADV_DONTNEED);
}

}  // namespace restree
