#include "program/process.h"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace restree {

void keep_memory_private() {
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

void keep_heaps_few() { ::mallopt(M_ARENA_MAX, 2); }

}  // namespace restree
