#include "repo/storage/ssh/ssh_target.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "repo/crypto/processor.h"
#include "repo/storage/ssh/ssh_subprocess.h"
#include "repo/system/child_process.h"
#include "tests/support/emulator.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

using ::testing::_;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::StartsWith;

SshTarget target_of(const std::string& printed, const SshOptions& options = {}) {
  return value_of(parse_ssh_settings("nas", printed, options));
}

TEST(SshTarget, ReadsTheSettingsThatSshPrints) {
  const auto target = target_of(
      "host nas\nuser joe\nhostname 192.0.2.7\nport 2222\nidentitiesonly yes\n"
      "identityfile /keys/%h-%r\nidentityfile /keys/a b\n"
      "userknownhostsfile /k/one /k/two\nglobalknownhostsfile /k/all none\n");
  EXPECT_EQ(target.alias, "nas");
  EXPECT_EQ(target.host, "192.0.2.7");
  EXPECT_EQ(target.key_name, "[192.0.2.7]:2222");
  EXPECT_EQ(target.port, 2222);
  EXPECT_EQ(target.user, "joe");
  EXPECT_TRUE(target.identities_only);
  EXPECT_THAT(target.identity_files, ElementsAre("/keys/192.0.2.7-joe", "/keys/a b"));
  EXPECT_THAT(target.known_hosts_files, ElementsAre("/k/one", "/k/two", "/k/all"));
  EXPECT_TRUE(target.proxy.empty());
}

TEST(SshTarget, AProxyCommandRunsInAShellWithItsTokensReplaced) {
  const auto target =
      target_of("hostname h\nport 7\nuser u\nproxycommand nc -x %h %p %r %n %% %q\n");
  EXPECT_THAT(target.proxy, ElementsAre("env", "SHLVL=1", _, "-c", "exec nc -x h 7 u nas % %q"));
  EXPECT_TRUE(target_of("hostname h\nproxycommand none\n").proxy.empty());
}

TEST(SshTarget, JumpHostsBecomeAnSshCommandThatForwards) {
  SshOptions options;
  options.config_file = "/etc/my";
  EXPECT_THAT(target_of("hostname h\nport 7\nproxyjump a,bob@[::1]:99\n", options).proxy,
              ElementsAre("ssh", "-F", "/etc/my", "-o", "BatchMode=yes", "-J", "a", "-W", "[h]:7",
                          "-l", "bob", "-p", "99", "--", "::1"));
  EXPECT_THAT(target_of("hostname h\nproxyjump jump\n").proxy,
              ElementsAre("ssh", "-o", "BatchMode=yes", "-W", "[h]:22", "--", "jump"));
}

TEST(SshTarget, HostsThatLookLikeOptionsAreRefused) {
  for (const std::string host : {"-oProxyCommand=true", "-", ""}) {
    EXPECT_THAT(find_ssh_target(host, "", {}, {}, Deadline::after(std::chrono::seconds(5))),
                FailsWith(ErrorKind::kInvalid));
    SshOptions options;
    options.command = "ssh";
    EXPECT_THAT(ssh_command(host, "", {}, options), FailsWith(ErrorKind::kInvalid));
  }
}

TEST(SshTarget, OptionsWinOverLocationAndConfiguration) {
  SshOptions options;
  options.config_file = "/dev/null";
  options.user = "ann";
  options.port = 99;
  options.identity_files = {"/k"};
  options.known_hosts_file = "/kh";
  options.use_agent = false;
  const auto target = value_of(
      find_ssh_target("nas", "joe", 22, options, Deadline::after(std::chrono::seconds(20))));
  EXPECT_EQ(target.user, "ann");
  EXPECT_EQ(target.port, 99);
  EXPECT_THAT(target.identity_files, ElementsAre("/k"));
  EXPECT_THAT(target.known_hosts_files, ElementsAre("/kh"));
  EXPECT_TRUE(target.identities_only);
  EXPECT_EQ(target.agent_socket, "");
}

TEST(SshTarget, WithoutSshInstalledItsDefaultsHold) {
  SKIP_UNDER_QEMU("the error of posix_spawn(3) for a program that is not there");
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);
  auto found = find_ssh_target("NAS", "joe", 2222, {}, Deadline::after(std::chrono::seconds(20)));
  ::setenv("PATH", path.c_str(), 1);
  const auto target = value_of(std::move(found));
  EXPECT_EQ(target.host, "NAS");
  EXPECT_EQ(target.key_name, "[nas]:2222");
  EXPECT_EQ(target.user, "joe");
  EXPECT_EQ(target.identity_files.size(), 3U);
  EXPECT_TRUE(target.identity_files[0].ends_with("/.ssh/id_ed25519"));
}

TEST(SplitWords, SplitsAsResticDoes) {
  EXPECT_THAT(value_of(split_words(" ssh  -i 'a b' \"c'd\" e\\\"f ''")),
              ElementsAre("ssh", "-i", "a b", "c'd", "e\"f", ""));
  EXPECT_THAT(split_words("ssh 'open"), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(split_words("  "), FailsWith(ErrorKind::kInvalid));
}

TEST(SshCommand, ACompleteCommandIsLeftAlone) {
  SshOptions options;
  options.command = "ssh joe@nas -s sftp";
  EXPECT_THAT(value_of(ssh_command("nas", "", {}, options)),
              ElementsAre("ssh", "joe@nas", "-s", "sftp"));
  options.command = "/usr/lib/openssh/sftp-server";
  EXPECT_EQ(value_of(ssh_command("nas", "", {}, options)).size(), 1U);
}

TEST(SshCommand, AesGcmComesFirstUnlessTheConfigurationOrdersTheCiphersItself) {
  if (!has_fast_aes()) GTEST_SKIP() << "this processor has no AES";
  SshOptions options;
  options.command = "ssh";
  options.config_file = "/dev/null";
  EXPECT_THAT(value_of(ssh_command("nas", "", {}, options)),
              Contains(StartsWith("Ciphers=aes128-gcm@openssh.com,chacha20-poly1305@openssh.com")));
  options.command = "ssh -o Ciphers=aes256-ctr,aes128-gcm@openssh.com";
  EXPECT_THAT(value_of(ssh_command("nas", "", {}, options)),
              Contains(StartsWith("Ciphers=")).Times(1));
}

TEST(OutputOf, GivesMissingSilentAndSlowProgramsDifferentErrors) {
  SKIP_UNDER_QEMU("the error of posix_spawn(3) for a program that is not there");
  const auto soon = Deadline::after(std::chrono::seconds(20));
  EXPECT_EQ(value_of(output_of({"echo", "hello"}, soon)), "hello\n");
  EXPECT_THAT(output_of({"no-such-program-anywhere"}, soon), FailsWith(ErrorKind::kNotFound));
  const auto failed = output_of({"sh", "-c", "echo bad >&2; exit 1"}, soon);
  EXPECT_THAT(failed, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(failed.error().message(), ::testing::HasSubstr("bad"));
  EXPECT_THAT(output_of({"sleep", "60"}, Deadline::after(std::chrono::milliseconds(20))),
              FailsWith(ErrorKind::kUnavailable));
}

}  // namespace
}  // namespace restree::testing
