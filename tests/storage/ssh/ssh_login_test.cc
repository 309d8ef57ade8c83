// Logging in to a real sshd with keys, in every way that people do, and being refused with the right
// message.
#include <fstream>
#include <stdexcept>

#include "tests/storage/ssh/ssh_login_fixture.h"
#include "tests/support/environment.h"

// libssh2 1.10 loses 56 bytes when it reads an encrypted ECDSA key in OpenSSH's format. The stack
// that LeakSanitizer sees ends in libcrypto, so libssh2 cannot be named here.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:CRYPTO_zalloc\n"; }

namespace restree::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(SshLoginTest, AKeyFileIsEnoughToLogIn) {
  serve();
  EXPECT_THAT(read(), Holds("hello"));
}

// In its log a server of this level names each method that is tried; "none" is the question for the
// methods that it accepts.
int times_asked(const Sshd& server) {
  int times = 0;
  const std::string log = server.log();
  for (auto at = log.find("method none"); at != std::string::npos;
       at = log.find("method none", at + 1)) {
    ++times;
  }
  return times;
}

TEST_F(SshLoginTest, TheFirstKeyIsTriedWithoutAQuestion) {
  serve({.config = {"LogLevel DEBUG1"}});
  EXPECT_THAT(read(), Holds("hello"));
  // The server's log is in order, and may be late.
  EXPECT_TRUE(holds_within(
      20s, [&] { return sshd().log().find("method publickey") != std::string::npos; }));
  EXPECT_EQ(times_asked(sshd()), 0);
}

TEST_F(SshLoginTest, OnceAKeyWasRefusedTheQuestionIsAskedOnceForEachLogin) {
  serve({.config = {"LogLevel DEBUG1"}});
  const fs::path wrong = sshd().folder() / "wrong";
  make_ssh_key(wrong, "ed25519");
  options_.identity_files = {wrong.string(), sshd().identity().string()};
  const auto storage =
      value_of(value_of(parse_location(sshd().location(root())))->make_storage(options_));
  for (int login = 1; login <= 2; ++login) {
    EXPECT_THAT(storage->read_all(kConfig, Deadline::after(20s)), Holds("hello"));
    EXPECT_TRUE(holds_within(20s, [&] { return times_asked(sshd()) == login; }));
    sshd().kill_connections();
  }
}

TEST_F(SshLoginTest, AnUnknownHostIsRefusedWithItsFingerprintAndWhatToDo) {
  serve();
  write_file(sshd().known_hosts(), "");
  const std::string fingerprint =
      run_ok({.argv = {"ssh-keygen", "-l", "-f", sshd().host_key("ed25519").string()}});
  const auto at = fingerprint.find("SHA256:");
  const std::string text = refusal();
  EXPECT_THAT(text, HasSubstr(fingerprint.substr(at, fingerprint.find(' ', at) - at)));
  EXPECT_THAT(text, HasSubstr("ssh-keyscan -p " + port() + " 127.0.0.1 >> " +
                              sshd().known_hosts().string()));
}

TEST_F(SshLoginTest, AChangedHostKeyIsRefusedWithTheLineThatSaysSo) {
  serve();
  const fs::path other = sshd().folder() / "other";
  make_ssh_key(other, "ed25519");
  write_file(sshd().known_hosts(),
             "# a comment\n[127.0.0.1]:" + port() + " " + read_file(other.string() + ".pub"));
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("CHANGED"), HasSubstr(sshd().known_hosts().string() + " line 2"),
                    HasSubstr("ssh-keygen"), HasSubstr("-R '[127.0.0.1]:" + port())));
}

TEST_F(SshLoginTest, ARevokedHostKeyIsRefused) {
  serve();
  const std::string line = read_file(sshd().known_hosts());
  write_file(sshd().known_hosts(), line + "@revoked * " + line.substr(line.find(' ') + 1));
  EXPECT_THAT(refusal(), HasSubstr("revoked"));
}

TEST_F(SshLoginTest, HashedNamesAreUnderstood) {
  serve();
  run_ok({.argv = {"ssh-keygen", "-q", "-H", "-f", sshd().known_hosts().string()}});
  EXPECT_THAT(read_file(sshd().known_hosts()), Not(HasSubstr("127.0.0.1")));
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, OfSeveralHostKeysTheKnownOneIsRequested) {
  serve({.host_key_types = {"ed25519", "ecdsa", "rsa"}});
  std::ofstream(sshd().known_hosts())
      << "[127.0.0.1]:" << port() << ' ' << read_file(sshd().host_key("ecdsa").string() + ".pub");
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, AServerWithOnlyAnRsaHostKeyIsExplained) {
  serve({.host_key_types = {"rsa"}});
  const auto answer = read();
  EXPECT_THAT(answer, FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(answer.error().for_people(), AllOf(HasSubstr("rsa-sha2-512"), HasSubstr("libssh2 1."),
                                                 HasSubstr("ssh_command=ssh")));
  options_.command = "ssh";
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, AnRsaKeyThatTheServerRefusesIsExplained) {
  serve();
  const fs::path key = sshd().folder() / "rsa";
  make_ssh_key(key, "rsa");
  fs::copy_file(key.string() + ".pub", sshd().authorized_keys(),
                fs::copy_options::overwrite_existing);
  options_.identity_files = {key.string()};
  if (const auto answer = read()) {
    // Since 1.11, libssh2 signs as the server wants.
    EXPECT_THAT(answer, Holds("hello"));
    return;
  }
  EXPECT_THAT(refusal(), AllOf(HasSubstr("libssh2 1."), HasSubstr("ssh_command=ssh")));
  options_.command = "ssh";
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, AWrongKeyIsRefusedWithWhatWasTriedAndWhatIsAccepted) {
  serve();
  const fs::path key = sshd().folder() / "other";
  make_ssh_key(key, "ed25519");
  options_.identity_files = {key.string()};
  EXPECT_THAT(refusal(), AllOf(HasSubstr("publickey"), HasSubstr(key.string())));
}

TEST_F(SshLoginTest, AnEncryptedKeyIsOpenedWithItsPassphrase) {
  for (const std::string type : {"ed25519", "ecdsa"}) {
    serve();
    const fs::path key = sshd().folder() / "locked";
    make_ssh_key(key, type, "open sesame");
    fs::copy_file(key.string() + ".pub", sshd().authorized_keys(),
                  fs::copy_options::overwrite_existing);
    options_.identity_files = {key.string()};
    options_.passphrase = secret("wrong");
    EXPECT_THAT(refusal(), HasSubstr("passphrase"));
    options_.passphrase = secret("open sesame");
    EXPECT_THAT(read(), Holds("hello"));
  }
}

TEST_F(SshLoginTest, SecretsAreAskedForOnceForAllConnections) {
  serve();
  const fs::path key = sshd().folder() / "locked";
  make_ssh_key(key, "ed25519", "open sesame");
  fs::copy_file(key.string() + ".pub", sshd().authorized_keys(),
                fs::copy_options::overwrite_existing);
  options_.identity_files = {key.string()};
  int asked = 0;
  options_.passphrase = [&](const std::string&) -> Result<Secret> {
    ++asked;
    return Secret(std::string("open sesame"));
  };
  const auto storage =
      value_of(value_of(parse_location(sshd().location(root())))->make_storage(options_));
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(storage->read_all(kConfig, Deadline::after(20s)), Holds("hello"));
    sshd().kill_connections();
  }
  EXPECT_GE(sshd().logins(), 3);
  EXPECT_EQ(asked, 1);
}

// An agent of our own, with its socket in a folder of its own.
class Agent {
 public:
  explicit Agent(const fs::path& socket)
      : socket_(socket),
        process_(Process::start({.argv = {"ssh-agent", "-D", "-a", socket.string()}})) {
    // The socket is there a moment before anybody listens: the agent is asked until it answers.
    if (!holds_within(60s, [&] { return answers(); })) throw std::runtime_error("agent");
  }
  void add(const fs::path& key) const {
    run_ok({.argv = {"ssh-add", "-q", key.string()}, .env = {{"SSH_AUTH_SOCK", socket_.string()}}});
  }

 private:
  // ssh-add ends with 1 if the agent has no keys, and with 2 if it cannot be asked.
  bool answers() const {
    const Command ask{.argv = {"ssh-add", "-l"}, .env = {{"SSH_AUTH_SOCK", socket_.string()}}};
    return run(ask).exit_code == 1;
  }

  fs::path socket_;
  Process process_;
};

TEST_F(SshLoginTest, AnAgentsKeyIsEnoughToLogIn) {
  serve();
  const Agent agent(sshd().folder() / "agent");
  agent.add(sshd().identity());
  configure("IdentityAgent " + (sshd().folder() / "agent").string() + "\n");
  options_.identity_files.clear();
  options_.use_agent = true;
  fs::remove(sshd().identity());
  EXPECT_THAT(read(), Holds("hello"));
  options_.use_agent = false;
  EXPECT_THAT(read(), FailsWith(ErrorKind::kDenied));
}

TEST_F(SshLoginTest, AnAgentsKeyOfEveryKindThatLibssh2KnowsIsUsed) {
  serve();
  const Agent agent(sshd().folder() / "agent");
  const fs::path key = sshd().folder() / "ecdsa";
  make_ssh_key(key, "ecdsa");
  agent.add(key);
  fs::copy_file(key.string() + ".pub", sshd().authorized_keys(),
                fs::copy_options::overwrite_existing);
  configure("IdentityAgent " + (sshd().folder() / "agent").string() + "\n");
  options_.identity_files.clear();
  options_.use_agent = true;
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, ANamedKeyIsTriedBeforeAnAgentsManyOthers) {
  serve({.config = {"MaxAuthTries 2"}});
  const Agent agent(sshd().folder() / "agent");
  for (const std::string name : {"a", "b", "c"}) {
    make_ssh_key(sshd().folder() / name, "ed25519");
    agent.add(sshd().folder() / name);
  }
  configure("IdentityAgent " + (sshd().folder() / "agent").string() + "\n");
  options_.use_agent = true;
  EXPECT_THAT(read(), Holds("hello"));
}

// A question after the first attempt counts as one, and the server ends the connection.
TEST_F(SshLoginTest, AServerThatAllowsTwoAttemptsIsAskedFirstTheNextTime) {
  serve({.config = {"MaxAuthTries 2"}});
  const fs::path wrong = sshd().folder() / "wrong";
  make_ssh_key(wrong, "ed25519");
  const Agent agent(sshd().folder() / "agent");
  agent.add(wrong);
  agent.add(sshd().identity());
  configure("IdentityAgent " + (sshd().folder() / "agent").string() + "\n");
  options_.identity_files.clear();
  options_.use_agent = true;
  fs::remove(sshd().identity());
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, AnAgentThatIsGoneIsNoObstacle) {
  serve();
  configure("IdentityAgent /nonexistent/agent\n");
  options_.use_agent = true;
  EXPECT_THAT(read(), Holds("hello"));
}

}  // namespace
}  // namespace restree::testing
