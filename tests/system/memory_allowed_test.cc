#include "repo/system/memory_allowed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdint>
#include <limits>

#include "tests/support/emulator.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MemoryAllowedTest, IsNoMoreThanThisProcessorCanAddress) {
  EXPECT_LT(memory_allowed(), std::numeric_limits<std::uintptr_t>::max());
}

TEST(MemoryLimitFiles, AreThoseOfTheGroupAndOfEachThatHoldsIt) {
  EXPECT_THAT(memory_limit_files("0::/system.slice/backup.service\n"),
              ElementsAre("/sys/fs/cgroup/system.slice/backup.service/memory.max",
                          "/sys/fs/cgroup/system.slice/memory.max", "/sys/fs/cgroup/memory.max"));
  EXPECT_THAT(memory_limit_files("0::/\n"), ElementsAre("/sys/fs/cgroup/memory.max"));
}

TEST(MemoryLimitFiles, OfTheFirstVersionAreThoseOfItsControllerForMemory) {
  EXPECT_THAT(
      memory_limit_files("3:cpu,cpuacct:/docker/5f\n7:hugetlb,memory:/docker/5f\n0::/\n"),
      ElementsAre("/sys/fs/cgroup/memory/docker/5f/memory.limit_in_bytes",
                  "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                  "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"));
}

TEST(MemoryLimitFiles, AreNoneWhereNothingIsKnown) {
  EXPECT_THAT(memory_limit_files(""), IsEmpty());
  EXPECT_THAT(memory_limit_files("nonsense\n::\n7:memory\n"), IsEmpty());
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
