#include "repo/storage/location.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "repo/base/path.h"
#include "repo/storage/limited_channel.h"
#include "repo/storage/limited_storage.h"
#include "repo/storage/local_storage.h"
#include "repo/storage/retry_storage.h"
#include "repo/storage/sftp_pool.h"
#include "repo/storage/sftp_storage.h"
#include "repo/storage/ssh_login.h"
#include "repo/storage/ssh_session.h"
#include "repo/storage/ssh_subprocess.h"
#include "repo/storage/ssh_target.h"

namespace restree {

namespace {

constexpr std::array<std::string_view, 8> kOtherSchemes{"s3", "rest",   "b2",    "azure",
                                                        "gs", "rclone", "swift", "opendal"};

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorKind::kInvalid, fmt::format("repository '{}': {}", text, why)};
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::array<std::byte, 1> byte{};
    if (text[i] != '%') {
      decoded += text[i];
    } else if (from_hex(text.substr(i + 1, 2), byte)) {
      decoded += static_cast<char>(byte[0]);
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return decoded;
}

Result<Location> with_path(Location location, std::string_view path, std::string_view text) {
  location.path = clean_path(path);
  if (location.path.starts_with('~')) {
    return invalid(text,
                   "a path on an SFTP server cannot begin with ~: leave it out, a path that "
                   "is not absolute begins in the login folder");
  }
  if (location.host.empty()) return invalid(text, "no host in it");
  if (location.host.starts_with('-')) return invalid(text, "no host name begins with a dash");
  return location;
}

// sftp:[user@]host:path
Result<Location> parse_scp_style(std::string_view rest, std::string_view text) {
  const auto colon = rest.find(':');
  if (colon == std::string_view::npos) return invalid(text, "no ':' between host and path");
  std::string_view host = rest.substr(0, colon);
  Location location{Location::Kind::kSftp, {}, {}, {}, {}};
  if (const auto at = host.rfind('@'); at != std::string_view::npos) {
    location.user = host.substr(0, at);
    host.remove_prefix(at + 1);
  }
  location.host = host;
  return with_path(std::move(location), rest.substr(colon + 1), text);
}

// [user[:password]@]host[:port]/path, after "sftp://"
Result<Location> parse_url(std::string_view rest, std::string_view text) {
  const auto slash = rest.find('/');
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  std::string_view authority = rest.substr(0, slash);
  if (path.empty()) return invalid(text, "no path in it");
  Location location{Location::Kind::kSftp, {}, {}, {}, {}};
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto login = authority.substr(0, at);
    const auto user = percent_decoded(login.substr(0, login.find(':')));
    if (!user) return invalid(text, "the user has a % that begins no escape");
    location.user = *user;
    authority.remove_prefix(at + 1);
  }
  const bool bracketed = authority.starts_with('[');
  const auto host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return invalid(text, "[ without ]");
  const auto host = percent_decoded(bracketed ? authority.substr(1, host_end - 1)
                                              : authority.substr(0, host_end));
  if (!host) return invalid(text, "the host has a % that begins no escape");
  location.host = *host;
  std::string_view port = host_end == std::string_view::npos
                              ? std::string_view()
                              : authority.substr(host_end + (bracketed ? 1 : 0));
  if (port.size() > 1 && port[0] == ':') {
    port.remove_prefix(1);
    std::uint16_t number = 0;
    const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() || number == 0) {
      return invalid(text, fmt::format("'{}' is not a port", port));
    }
    location.port = number;
  } else if (!port.empty() && port != ":") {
    return invalid(text, "something after the host that is no port");
  }
  const auto decoded = percent_decoded(path);
  if (!decoded) return invalid(text, "the path has a % that begins no escape");
  return with_path(std::move(location), *decoded, text);
}

Status is_local_path(std::string_view text) {
  const bool plain =
      text.find(':') == std::string_view::npos || text.starts_with('/') || text.starts_with("../");
  if (plain) return {};
  return Error(ErrorKind::kInvalid, fmt::format("repository '{}': no such kind of storage as '{}'",
                                                text, text.substr(0, text.find(':'))))
      .hinting(fmt::format("a folder whose name has a ':' is written local:{}", text));
}

}  // namespace

Result<Location> parse_location(std::string_view text) {
  if (text.empty()) return Error(ErrorKind::kInvalid, "no repository is named");
  const auto colon = text.find(':');
  const auto scheme = colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  if (scheme == "local") {
    if (colon + 1 == text.size()) return invalid(text, "no path in it");
    return Location{Location::Kind::kLocal, std::string(text.substr(colon + 1)), {}, {}, {}};
  }
  if (scheme == "sftp") {
    const auto rest = text.substr(colon + 1);
    return rest.starts_with("//") ? parse_url(rest.substr(2), text) : parse_scp_style(rest, text);
  }
  if (std::find(kOtherSchemes.begin(), kOtherSchemes.end(), scheme) != kOtherSchemes.end()) {
    return Error(ErrorKind::kUnsupported,
                 fmt::format("repositories of the kind '{}:' are not supported: only local folders "
                             "and sftp: are",
                             scheme));
  }
  RETURN_IF_ERROR(is_local_path(text));
  return Location{Location::Kind::kLocal, std::string(text), {}, {}, {}};
}

std::string Location::description() const {
  if (kind == Kind::kLocal) return path;
  const std::string account = user.empty() ? host : fmt::format("{}@{}", user, host);
  if (!port && host.find(':') == std::string::npos) return fmt::format("sftp:{}:{}", account, path);
  const std::string name = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  return fmt::format("sftp://{}{}{}{}/{}", user.empty() ? "" : user + "@", name, port ? ":" : "",
                     port ? std::to_string(*port) : "", path);
}

namespace {

Result<std::unique_ptr<SftpConnection>> greet(std::unique_ptr<ByteChannel> channel,
                                              const std::string& host, const SshOptions& options,
                                              const Patience& patience) {
  ASSIGN_OR_RETURN(channel, LimitedChannel::make(std::move(channel), options.limits));
  ASSIGN_OR_RETURN(auto client,
                   SftpClient::start(std::move(channel), host, options.silence, patience));
  return std::make_unique<SftpConnection>(std::move(client), options.open_connections);
}

SftpPool::Connect through_subprocess(const Location& location, const SshOptions& options,
                                     std::vector<std::string> words) {
  return [host = location.host, options, words = std::move(words)](
             const Patience& patience) -> Result<std::unique_ptr<SftpConnection>> {
    ASSIGN_OR_RETURN(auto channel, SshSubprocess::start(host, words));
    return greet(std::move(channel), host, options, patience);
  };
}

// The configuration is read once, by the first attempt that succeeds in reading it.
SftpPool::Connect through_libssh2(const Location& location, const SshOptions& options) {
  struct Kept {
    explicit Kept(const SshOptions& options) : login(options.password, options.passphrase) {}
    SshLogin login;
    std::mutex reading;
    std::optional<SshTarget> target;
  };
  const auto kept = std::make_shared<Kept>(options);
  return [location, options,
          kept](const Patience& patience) -> Result<std::unique_ptr<SftpConnection>> {
    {
      const std::lock_guard lock(kept->reading);
      if (!kept->target) {
        ASSIGN_OR_RETURN(kept->target, find_ssh_target(location.host, location.user, location.port,
                                                       options, patience.by));
      }
    }
    ASSIGN_OR_RETURN(auto channel, SshSession::connect(*kept->target, kept->login, patience));
    return greet(std::move(channel), location.host, options, patience);
  };
}

}  // namespace

Result<std::shared_ptr<Storage>> make_storage(const Location& location, const SshOptions& options,
                                              const std::stop_token& stop) {
  if (location.kind == Location::Kind::kLocal) {
    return limit_storage(make_local_storage(location.path), options.limits, stop);
  }
  SftpPool::Connect connect;
  if (options.command.empty()) {
    connect = through_libssh2(location, options);
  } else {
    ASSIGN_OR_RETURN(auto words, ssh_command(location.host, location.user, location.port, options));
    connect = through_subprocess(location, options, std::move(words));
  }
  auto pool = std::make_unique<SftpPool>(location.host, options.connections,
                                         options.connect_timeout, std::move(connect));
  auto storage =
      std::make_shared<SftpStorage>(std::move(pool), location.path, location.description());
  return std::shared_ptr<Storage>(
      std::make_shared<RetryStorage>(std::move(storage), BackOff{}, std::move(stop)));
}

}  // namespace restree
