// The ways to a server: settings, proxies and jump hosts; and servers of no use, each with its reason.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stop_token>
#include <string>
#include <thread>

#include "repo/base/unique_fd.h"
#include "tests/storage/ssh/ssh_login_fixture.h"
#include "tests/support/environment.h"

namespace restree::testing {
namespace {

using ::testing::HasSubstr;

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

// Answers each connection with some bytes and then with others that never end, or, where there are none, says
// nothing more, until the client hangs up.
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
      std::array<char, 4096> heard{};
      while (::recv(client.get(), heard.data(), heard.size(), 0) > 0) continue;
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

// SSH_MSG_KEXINIT, not encrypted: what the server can do.
std::string offer_of_a_server() {
  std::string payload = "\x14" + std::string(16, 'c');  // the kind, and a cookie
  for (const std::string list : {"curve25519-sha256", "ssh-ed25519", "aes128-ctr", "aes128-ctr",
                                 "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""}) {
    payload += std::string(3, '\0') + static_cast<char>(list.size()) + list;
  }
  payload += std::string(5, '\0');
  // The lengths, the payload and the padding together are a multiple of eight.
  std::size_t padding = 8 - (5 + payload.size()) % 8;
  if (padding < 4) padding += 8;
  const std::size_t size = 1 + payload.size() + padding;
  std::string packet(2, '\0');
  packet += {static_cast<char>(size >> 8), static_cast<char>(size), static_cast<char>(padding)};
  return packet + payload + std::string(padding, '\0');
}

// LeakSanitizer would find what libssh2 has allocated for the key exchange.
TEST_F(SshLoginTest, AServerThatFallsSilentInTheKeyExchangeLeavesNothingBehind) {
  serve();
  const TalkingServer server("SSH-2.0-talker\r\n" + offer_of_a_server(), "");
  options_.connect_timeout = 1s;
  const auto answer = read_from(server.location(), 20s);
  ASSERT_THAT(answer, FailsWith(ErrorKind::kUnavailable));
  EXPECT_THAT(answer.error().message(), HasSubstr("greeting: the server does not answer in time"));
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

}  // namespace
}  // namespace restree::testing
