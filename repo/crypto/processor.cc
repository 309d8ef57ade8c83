#include "repo/crypto/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace restree {

bool has_fast_aes() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("aes") != 0;
#elif defined(__aarch64__)
  return (::getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
  return false;
#endif
}

// Not by __builtin_cpu_supports(), which knows no "sha" in clang 16.
bool has_sha_instructions() {
#if defined(__x86_64__)
  constexpr unsigned kLeaf = 7;
  constexpr unsigned kShaBit = 1U << 29;
  static const bool has = [] {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __builtin_cpu_supports("sse4.1") != 0 &&
           __get_cpuid_count(kLeaf, 0, &a, &b, &c, &d) != 0 && (b & kShaBit) != 0;
  }();
  return has;
#else
  return false;
#endif
}

}  // namespace restree
