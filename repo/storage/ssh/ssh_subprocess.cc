#include "repo/storage/ssh/ssh_subprocess.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "repo/base/log.h"
#include "repo/crypto/processor.h"

namespace restree {

namespace {

// A larger buffer than the default halves the switches between this process and the program.
constexpr int kSocketBufferBytes = 1024 * 1024;
constexpr std::chrono::milliseconds kLastWordsGrace{500};

constexpr std::chrono::seconds kConfigurationWait{5};
constexpr std::string_view kChaCha = "chacha20-poly1305@openssh.com";
constexpr std::string_view kGcm = "aes128-gcm@openssh.com";

// The ciphers that this ssh would offer, quickest first; empty: leave them as they are.
std::string quicker_ciphers(std::vector<std::string> ssh, const std::string& host) {
  if (!has_fast_aes() || std::filesystem::path(ssh[0]).filename() != "ssh") return {};
  ssh.insert(ssh.end(), {"-G", "--", host});
  // A fault in the configuration is reported by the connection.
  const auto settings = output_of(ssh, Deadline::after(kConfigurationWait));
  if (!settings) return {};
  constexpr std::string_view kKey = "\nciphers ";
  const auto at = settings->find(kKey);
  if (at == std::string::npos) return {};
  const auto begin = at + kKey.size();
  const auto offered = settings->substr(begin, settings->find('\n', begin) - begin);
  const bool usual = offered.starts_with(kChaCha) && offered.find(kGcm) != std::string::npos;
  return usual ? fmt::format("{},{}", kGcm, offered) : std::string();
}

bool is_refusal(std::string_view words) {
  return words.find("Permission denied") != std::string_view::npos ||
         words.find("Host key verification failed") != std::string_view::npos ||
         words.find("Too many authentication failures") != std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<SshSubprocess>> SshSubprocess::start(std::string host,
                                                            const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return errno_error(errno, "make a socket pair");
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  for (const int fd : ends) {
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBufferBytes, sizeof kSocketBufferBytes);
  }
  Complaints complaints;
  // It may ask for a passphrase, or whether a host is known, until the server answers.
  auto process = ChildProcess::start(words, {theirs.get(), theirs.get(), complaints.fd()},
                                     ChildProcess::Terminal::kUntilTakenBack);
  if (!process) {
    // Not kNotFound, which would say that a file of the repository is missing.
    return Error(ErrorKind::kInvalid, process.error().message());
  }
  return std::unique_ptr<SshSubprocess>(new SshSubprocess(std::move(host), std::move(complaints),
                                                          std::move(*process), std::move(ours)));
}

Result<std::size_t> SshSubprocess::read_some(MutableByteView into) {
  ssize_t got = 0;
  do {
    got = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return std::size_t{0};
  if (got <= 0) return ended(got < 0 ? errno : 0);
  if (!std::exchange(has_answered_, true)) process_.take_terminal_back();
  moved_ += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

Result<std::size_t> SshSubprocess::write_some(ByteView bytes) {
  full_ = false;
  if (bytes.empty()) return std::size_t{0};
  ssize_t sent = 0;
  do {
    sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno == EAGAIN) {
    full_ = true;
    return std::size_t{0};
  }
  if (sent < 0) return ended(errno);
  moved_ += static_cast<std::uint64_t>(sent);
  return static_cast<std::size_t>(sent);
}

ByteChannel::Wait SshSubprocess::wait_for() const {
  return {fd_.get(), static_cast<short>(POLLIN | (full_ ? POLLOUT : 0))};
}

Error SshSubprocess::ended(int failure) {
  process_.ended(kLastWordsGrace);
  std::string why = complaints_.last_words();
  const bool refused = moved_ == 0 || is_refusal(why);
  const ErrorKind kind = refused && is_refusal(why) ? ErrorKind::kDenied : ErrorKind::kUnavailable;
  if (why.empty() && failure != 0) why = std::generic_category().message(failure);
  return {kind, fmt::format("{}: the SSH program ended: {}", host_,
                            why.empty() ? "it does not say why" : log::quoted(why))};
}

Result<std::vector<std::string>> ssh_command(const std::string& host, const std::string& user,
                                             std::optional<std::uint16_t> port,
                                             const SshOptions& options) {
  if (host.empty() || host.starts_with('-')) {
    return Error(ErrorKind::kInvalid, fmt::format("'{}' is not a host name", host));
  }
  auto words = split_words(options.command);
  if (!words) return std::move(words).error().with("ssh_command");
  if (words->back() == "sftp" || words->back().ends_with("sftp-server")) return words;

  const auto add = [&](std::initializer_list<std::string> more) {
    words->insert(words->end(), more);
  };
  if (!options.config_file.empty()) add({"-F", options.config_file});
  const auto used_port = options.port ? options.port : port;
  if (used_port) add({"-p", std::to_string(*used_port)});
  const std::string& used_user = options.user.empty() ? user : options.user;
  if (!used_user.empty()) add({"-l", used_user});
  for (const auto& file : options.identity_files) add({"-i", file});
  if (!options.known_hosts_file.empty()) {
    add({"-o", "UserKnownHostsFile=" + options.known_hosts_file});
  }
  if (!options.use_agent) add({"-o", "IdentityAgent=none"});
  if (const auto ciphers = quicker_ciphers(*words, host); !ciphers.empty()) {
    add({"-o", "Ciphers=" + ciphers});
  }
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(options.connect_timeout).count();
  add({"-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o",
       fmt::format("ConnectTimeout={}", seconds), "-s", "--", host, "sftp"});
  return words;
}

}  // namespace restree
