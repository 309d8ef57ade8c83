#include "repo/system/memory_allowed.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <limits>

#include "tests/support/emulator.h"

namespace restree {
namespace {

TEST(MemoryAllowedTest, IsNoMoreThanThisProcessorCanAddress) {
  EXPECT_LT(memory_allowed(), std::numeric_limits<std::uintptr_t>::max());
}

#ifndef RESTREE_SANITIZED  // a sanitizer takes more than any limit at its start
TEST(MemoryAllowedTest, IsNoMoreThanTheLimitOfTheProcess) {
  SKIP_UNDER_QEMU("limits of a process's memory");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  const std::uint64_t allowed = memory_allowed();
  EXPECT_GT(allowed, 64U << 20);
  rlimit less = before;
  less.rlim_cur = allowed / 2;
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &less), 0);
  const std::uint64_t with_limit = memory_allowed();
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(with_limit, allowed / 2);
}
#endif

}  // namespace
}  // namespace restree
