// Logging in to a real sshd with a password.
#include <unistd.h>

#include "tests/storage/ssh/ssh_login_fixture.h"

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Passwords need an account that has one, which only root can make.
class SshPasswordTest : public SshLoginTest {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "needs root, to make an account with a password";
    run_ok({.argv = {"useradd", "-M", "-N", "-d", "/", "-s", "/bin/sh", user_}});
    run_ok({.argv = {"chpasswd"}, .input = user_ + ":correct horse\n"});
  }
  void TearDown() override {
    sshd_.reset();
    if (::getuid() == 0) run({.argv = {"userdel", "-f", user_}});
  }
  void serve_password(std::vector<std::string> config) {
    serve({.config = std::move(config)});
    fs::permissions(sshd().folder(), fs::perms(0755));
    options_.identity_files.clear();
    options_.user = user_;
  }
  const std::string user_ = "restree-t" + std::to_string(::getpid());
};

TEST_F(SshPasswordTest, APasswordIsEnoughToLogIn) {
  serve_password({"PasswordAuthentication yes", "PubkeyAuthentication no"});
  options_.password = secret("correct horse");
  EXPECT_THAT(read(), Holds("hello"));
  EXPECT_THAT(sshd().log(), HasSubstr("Accepted password"));
}

TEST_F(SshPasswordTest, KeyboardInteractiveIsAnsweredWithThePassword) {
  serve_password({"KbdInteractiveAuthentication yes", "UsePAM yes", "PubkeyAuthentication no"});
  options_.password = secret("correct horse");
  EXPECT_THAT(read(), Holds("hello"));
  EXPECT_THAT(sshd().log(), HasSubstr("Accepted keyboard-interactive"));
}

TEST_F(SshPasswordTest, AWrongPasswordIsRefusedAndNeverShown) {
  serve_password({"PasswordAuthentication yes", "PubkeyAuthentication no"});
  options_.password = secret("battery staple");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("tried password"), Not(HasSubstr("battery"))));
}

TEST_F(SshPasswordTest, WithoutAPasswordTheServersMethodsAreNamed) {
  serve_password({"PasswordAuthentication yes", "PubkeyAuthentication no"});
  EXPECT_THAT(refusal(), HasSubstr("\"password\""));
}

}  // namespace
}  // namespace restree::testing
