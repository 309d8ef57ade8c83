#include "tests/support/environment.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "repo/base/environment.h"

namespace restree {
namespace {

TEST(HomeFolder, IsThatOfTheEnvironment) {
  testing::Environment environment;
  environment.set("HOME", "/home/u");
  EXPECT_EQ(home_folder(), "/home/u");
}

TEST(HomeFolder, IsThatOfTheEffectiveUserOtherwise) {
  const passwd* user = ::getpwuid(::geteuid());
  ASSERT_NE(user, nullptr);
  testing::Environment environment;
  environment.set("HOME", std::nullopt);
  EXPECT_EQ(home_folder(), user->pw_dir);
  environment.set("HOME", "");
  EXPECT_EQ(home_folder(), user->pw_dir);
}

}  // namespace
}  // namespace restree
