#include "program/state_folder.h"

#include <gmock/gmock.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::value_of;

class StateFolder : public ::testing::Test {
 protected:
  StateFolder() {
    environment_.set("HOME", "/home/u");
    environment_.set("XDG_STATE_HOME", std::nullopt);
  }
  testing::Environment environment_;
};

TEST_F(StateFolder, LiesInTheHomeFolder) {
  EXPECT_EQ(value_of(state_folder()), "/home/u/.local/state/restree");
}

TEST_F(StateFolder, LiesWhereTheEnvironmentSays) {
  environment_.set("XDG_STATE_HOME", "/var/state/");
  EXPECT_EQ(value_of(state_folder()), "/var/state/restree");
  environment_.set("XDG_STATE_HOME", "");
  EXPECT_EQ(value_of(state_folder()), "/home/u/.local/state/restree");
}

}  // namespace
}  // namespace restree
