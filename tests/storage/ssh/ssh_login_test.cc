// Logging in to a real sshd, in every way that people do, and being refused with the right message.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stop_token>
#include <thread>
#include <utility>

#include "program/storage_kinds.h"
#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/process.h"
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

// libssh2 1.10 loses 56 bytes when it reads an encrypted ECDSA key in OpenSSH's format. The stack
// that LeakSanitizer sees ends in libcrypto, so libssh2 cannot be named here.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:CRYPTO_zalloc\n"; }

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const FileName kConfig{FileType::kConfig, ""};

class SshLoginTest : public ::testing::Test {
 protected:
  void serve(SshdOptions options = {}) {
    sshd_.emplace(std::move(options));
    fs::create_directories(root());
    write_file(root() / "config", "hello");
    options_ = sshd_->ssh_options();
  }
  fs::path root() const { return sshd_->folder() / "repo"; }
  Sshd& sshd() { return *sshd_; }

  Result<Bytes> read_from(const std::string& location,
                          std::chrono::milliseconds time = std::chrono::seconds(20)) {
    const auto storage = value_of(value_of(parse_location(location))->make_storage(options_));
    return storage->read_all(kConfig, Deadline::after(time));
  }
  Result<Bytes> read(std::chrono::milliseconds time = std::chrono::seconds(20)) {
    return read_from(sshd_->location(root()), time);
  }
  // The message of a read that fails at its deadline. Longer deadlines are tried until the message
  // is the expected one, as a busy machine may be late to receive the server's reason.
  std::string last_word(const std::string& expected) {
    std::string message;
    for (auto time = 500ms; time < 20s && message.find(expected) == std::string::npos; time *= 2) {
      const auto answer = read(time);
      EXPECT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
      if (answer) return "";
      message = answer.error().message();
    }
    return message;
  }
  // The whole error, with its hint.
  std::string refusal() {
    const auto answer = read();
    EXPECT_THAT(answer, FailsWith(ErrorKind::kDenied));
    return answer ? "" : answer.error().for_people();
  }
  void configure(const std::string& text) { write_file(sshd_->ssh_config(), text); }
  static SecretSource secret(const std::string& text) {
    return [text](const std::string&) -> Result<Secret> { return Secret(std::string(text)); };
  }
  std::string port() { return std::to_string(sshd().port()); }

  std::optional<Sshd> sshd_;
  SshOptions options_;
};

TEST_F(SshLoginTest, AKeyFileIsEnoughToLogIn) {
  serve();
  EXPECT_THAT(read(), Holds("hello"));
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

TEST_F(SshLoginTest, AnAgentThatIsGoneIsNoObstacle) {
  serve();
  configure("IdentityAgent /nonexistent/agent\n");
  options_.use_agent = true;
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, AliasesAndSettingsComeFromTheConfiguration) {
  serve();
  configure("Host storagebox\n  HostName 127.0.0.1\n  Port " + port() + "\n  User " + Sshd::user() +
            "\n  IdentityFile " + sshd().identity().string() + "\n  UserKnownHostsFile " +
            sshd().known_hosts().string() + "\n");
  options_.identity_files.clear();
  options_.known_hosts_file.clear();
  EXPECT_THAT(read_from("sftp:storagebox:" + root().string()), Holds("hello"));
  options_.command = "ssh";
  EXPECT_THAT(read_from("sftp:storagebox:" + root().string()), Holds("hello"));
}

TEST_F(SshLoginTest, KnownHostsAreSearchedForTheHostKeyAlias) {
  serve();
  configure("HostKeyAlias nas\n");
  const std::string line = read_file(sshd().known_hosts());
  write_file(sshd().known_hosts(), "nas " + line.substr(line.find(' ') + 1));
  EXPECT_THAT(read(), Holds("hello"));
}

TEST_F(SshLoginTest, AProxyCommandCarriesTheConnection) {
  serve();
  configure("ProxyCommand ssh -F none -i " + sshd().identity().string() +
            " -o BatchMode=yes -o UserKnownHostsFile=" + sshd().known_hosts().string() +
            " -p %p -l %r -W [%h]:%p 127.0.0.1\n");
  EXPECT_THAT(read(), Holds("hello"));
  EXPECT_EQ(sshd().logins(), 2);
}

TEST_F(SshLoginTest, AProxyThatFailsIsQuoted) {
  serve();
  configure("ProxyCommand echo no way through >&2\n");
  EXPECT_THAT(last_word("no way through"), HasSubstr("no way through"));
}

TEST_F(SshLoginTest, TheShellOfAProxyDoesNotReadTheFilesForLogins) {
  serve();
  const TempDir home;
  write_file(home.path() / ".bashrc", "echo Welcome; sleep 60\n");
  Environment environment;
  environment.set("HOME", home.path().string());
  environment.set("SHELL", "/bin/bash");
  environment.set("SHLVL", std::nullopt);  // as in a service
  configure("ProxyCommand echo no way through >&2\n");
  EXPECT_THAT(last_word("no way through"), HasSubstr("no way through"));
}

TEST_F(SshLoginTest, AJumpHostCarriesTheConnection) {
  serve();
  configure("Host jump\n  HostName 127.0.0.1\n  Port " + port() + "\n  User " + Sshd::user() +
            "\n  IdentityFile " + sshd().identity().string() + "\n  UserKnownHostsFile " +
            sshd().known_hosts().string() + "\nHost target\n  HostName 127.0.0.1\n  Port " +
            port() + "\n  ProxyJump jump\n");
  EXPECT_THAT(read_from("sftp:" + Sshd::user() + "@target:" + root().string()), Holds("hello"));
  EXPECT_EQ(sshd().logins(), 2);
}

TEST_F(SshLoginTest, AServerWithoutSftpIsExplained) {
  serve({.sftp = false});
  const auto answer = read();
  EXPECT_THAT(answer, FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(answer.error().for_people(), HasSubstr("Subsystem sftp"));
}

TEST_F(SshLoginTest, AShellThatTalksIsExplained) {
  serve({.sftp = false, .config = {"Subsystem sftp /bin/echo Welcome to this fine server"}});
  EXPECT_THAT(last_word("not an SFTP server"), HasSubstr("not an SFTP server"));
}

TEST_F(SshLoginTest, AMissingFolderIsNamed) {
  serve();
  const auto absolute = read_from(sshd().location("/nonexistent/repo"));
  EXPECT_THAT(absolute, FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(absolute.error().message(), HasSubstr("no folder /nonexistent/repo"));
  const auto relative = read_from("sftp://" + Sshd::user() + "@127.0.0.1:" + port() + "/no/repo");
  EXPECT_THAT(relative, FailsWith(ErrorKind::kNotFound));
  EXPECT_THAT(relative.error().message(), HasSubstr("no folder 'no/repo' in the login folder /"));
}

TEST_F(SshLoginTest, ANameWithoutAnAddressAndARefusalGiveDifferentMessages) {
  serve();
  // Too long for a host name, so no name server is asked.
  const auto nameless = read_from("sftp:" + std::string(70, 'x') + ":/x", 300ms);
  EXPECT_THAT(nameless, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(nameless.error().message(), HasSubstr("no address for this name"));
  sshd().stop();
  const auto refused = read(300ms);
  EXPECT_THAT(refused.error().message(), HasSubstr("Connection refused"));
}

// Answers each connection with bytes that never end, until the client hangs up.
class TalkingServer {
 public:
  explicit TalkingServer(std::string first, std::string then)
      : first_(std::move(first)), then_(std::move(then)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_.get(), any, size), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    EXPECT_EQ(::getsockname(listener_.get(), any, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { talk(stop); });
  }
  ~TalkingServer() {
    thread_.request_stop();
    ::shutdown(listener_.get(), SHUT_RDWR);
  }
  TalkingServer(const TalkingServer&) = delete;
  TalkingServer& operator=(const TalkingServer&) = delete;

  std::string location() const {
    return "sftp://nobody@127.0.0.1:" + std::to_string(port_) + "//x";
  }

 private:
  void talk(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) continue;
      const std::string* next = &first_;
      while (::send(client.get(), next->data(), next->size(), MSG_NOSIGNAL) > 0) next = &then_;
    }
  }

  const std::string first_;
  const std::string then_;
  UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

TEST_F(SshLoginTest, BytesWithoutEndBeforeTheGreetingAreNoSshServer) {
  serve();
  for (const std::string& talk : {std::string(70'000, 'x'), std::string("no SSH here\n")}) {
    const TalkingServer server(talk, talk);
    options_.connect_timeout = 60s;
    const auto answer = read_from(server.location(), 60s);
    ASSERT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
    EXPECT_THAT(answer.error().message(), HasSubstr("what answers is not an SSH server"));
  }
}

// A packet of the kind that says nothing (SSH_MSG_IGNORE, 8 bytes in all), again and again.
TEST_F(SshLoginTest, PacketsWithoutEndKeepNobodyBeyondTheTimeToConnect) {
  serve();
  using namespace std::string_literals;
  const std::string ignore = "\0\0\0\x0c\x06\x02\0\0\0\0\0\0\0\0\0\0"s;
  std::string many;
  for (int i = 0; i < 1000; ++i) many += ignore;
  const TalkingServer server("SSH-2.0-talker\r\n", many);
  options_.connect_timeout = 300ms;
  const auto answer = read_from(server.location(), 300ms);
  EXPECT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
}

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
