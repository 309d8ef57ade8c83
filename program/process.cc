#include "program/process.h"

#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>

namespace restree {

void keep_memory_private() {
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

void survive_failed_writes() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
}

void raise_limit_of_open_files() {
  // More would harm programs that are started from here and close whatever could be open.
  constexpr rlim_t kUseful = 65536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kUseful) return;
  limit.rlim_cur = std::min(limit.rlim_max, kUseful);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void keep_heaps_few() { ::mallopt(M_ARENA_MAX, 2); }

void give_large_blocks_back() { ::mallopt(M_MMAP_THRESHOLD, 1 << 20); }

}  // namespace restree
