#include "repo/crypto/random.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "tests/support/emulator.h"
#include "tests/support/forked.h"
#include "tests/support/refused_calls.h"

namespace restree {
namespace {

using Random = std::array<std::byte, 32>;

TEST(FillRandom, GivesOtherBytesEachTime) {
  Random first{};
  Random second{};
  ASSERT_TRUE(fill_random(first));
  ASSERT_TRUE(fill_random(second));
  EXPECT_NE(first, second);
}

// In a child OpenSSL asks the system anew.
TEST(FillRandom, DoesWithoutGetrandom) {
  SKIP_UNDER_QEMU("filters of system calls");
  for (const int error : {ENOSYS, EPERM}) {
    const int code = testing::exit_code_in_child([&] {
      testing::refuse_calls({SYS_getrandom}, error);
      Random first{};
      Random second{};
      if (!fill_random(first) || !fill_random(second)) return 1;
      return first == second || first == Random{} ? 2 : 0;
    });
    EXPECT_EQ(code, 0) << error;
  }
}

}  // namespace
}  // namespace restree
