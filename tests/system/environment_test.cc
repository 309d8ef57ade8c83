#include "tests/support/environment.h"

#include <gmock/gmock.h>
#include <pwd.h>
#include <unistd.h>

#include "repo/system/environment.h"

namespace restree {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(EnvironmentForOthers, HasNoPasswordsAndAllElse) {
  testing::Environment environment;
  environment.set("RESTIC_PASSWORD", "secret");
  environment.set("RESTIC_FROM_PASSWORD", "secret");
  environment.set("RESTIC_REST_PASSWORD", "secret");
  environment.set("RESTIC_PASSWORD_FILE", "/file");
  environment.set("MY_PASSWORD", "theirs");
  std::vector<std::string> variables;
  for (const char* variable : environment_for_others()) {
    if (variable != nullptr) variables.emplace_back(variable);
  }
  EXPECT_THAT(variables, Contains("RESTIC_PASSWORD_FILE=/file"));
  EXPECT_THAT(variables, Contains("MY_PASSWORD=theirs"));
  EXPECT_THAT(variables, Not(Contains(HasSubstr("=secret"))));
  EXPECT_EQ(environment_for_others().back(), nullptr);
}

}  // namespace
}  // namespace restree
