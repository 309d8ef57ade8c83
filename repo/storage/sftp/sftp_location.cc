#include "repo/storage/sftp/sftp_location.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <utility>

#include "repo/base/bytes.h"
#include "repo/base/path.h"
#include "repo/base/readable.h"

namespace restree {
namespace {

constexpr std::string_view kScheme = "sftp:";

Error invalid(std::string_view text, std::string_view why) {
  return {ErrorKind::kInvalid, fmt::format("repository '{}': {}", without_password(text), why)};
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

Result<SftpLocation> with_path(SftpLocation location, std::string_view path,
                               std::string_view text) {
  location.path = clean_path(path);
  if (location.path.starts_with('~')) {
    return invalid(text,
                   "a path on an SFTP server cannot begin with ~: leave it out, a path that "
                   "is not absolute begins in the login folder");
  }
  for (const std::string& part : {location.user, location.host, location.path}) {
    if (part.find('\0') != std::string::npos) {
      return invalid(text, "a zero byte in it, which no name can hold");
    }
  }
  if (location.host.empty()) return invalid(text, "the host is missing");
  if (location.host.starts_with('-')) return invalid(text, "no host name begins with a dash");
  return location;
}

// sftp:[user@]host:path
Result<SftpLocation> parse_scp_style(std::string_view rest, std::string_view text) {
  const auto colon = rest.find(':');
  if (colon == std::string_view::npos) return invalid(text, "no ':' between host and path");
  std::string_view host = rest.substr(0, colon);
  SftpLocation location;
  if (const auto at = host.rfind('@'); at != std::string_view::npos) {
    location.user = host.substr(0, at);
    host.remove_prefix(at + 1);
  }
  location.host = host;
  return with_path(std::move(location), rest.substr(colon + 1), text);
}

// [user[:password]@]host[:port]/path, after "sftp://"
Result<SftpLocation> parse_url(std::string_view rest, std::string_view text) {
  const auto slash = rest.find('/');
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  std::string_view authority = rest.substr(0, slash);
  if (path.empty()) return invalid(text, "the path is missing");
  SftpLocation location;
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const auto login = authority.substr(0, at);
    const auto user = percent_decoded(login.substr(0, login.find(':')));
    if (!user) return invalid(text, "the user has a % that does not begin an escape");
    location.user = *user;
    authority.remove_prefix(at + 1);
  }
  const bool bracketed = authority.starts_with('[');
  const auto host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return invalid(text, "[ without ]");
  const auto host = percent_decoded(bracketed ? authority.substr(1, host_end - 1)
                                              : authority.substr(0, host_end));
  if (!host) return invalid(text, "the host has a % that does not begin an escape");
  location.host = *host;
  std::string_view port = host_end == std::string_view::npos
                              ? std::string_view()
                              : authority.substr(host_end + (bracketed ? 1 : 0));
  if (port.size() > 1 && port[0] == ':') {
    port.remove_prefix(1);
    std::uint16_t number = 0;
    const auto read = std::from_chars(port.data(), port.data() + port.size(), number);
    if (read.ec != std::errc() || read.ptr != port.data() + port.size() || number == 0) {
      return invalid(text, "what follows the ':' behind the host is not a port");
    }
    location.port = number;
  } else if (!port.empty() && port != ":") {
    return invalid(text, "what follows the host is not a port");
  }
  const auto decoded = percent_decoded(path);
  if (!decoded) return invalid(text, "the path has a % that does not begin an escape");
  return with_path(std::move(location), *decoded, text);
}

}  // namespace

Result<SftpLocation> make_sftp_location(SftpLocation parts, std::string_view text) {
  const std::string path = std::move(parts.path);
  return with_path(std::move(parts), path, text);
}

Result<SftpLocation> parse_sftp_location(std::string_view text) {
  const std::string_view rest = text.substr(kScheme.size());
  return rest.starts_with("//") ? parse_url(rest.substr(2), text) : parse_scp_style(rest, text);
}

std::string SftpLocation::description() const {
  const std::string account = user.empty() ? host : fmt::format("{}@{}", user, host);
  if (!port && host.find(':') == std::string::npos) return fmt::format("sftp:{}:{}", account, path);
  const std::string name = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  return fmt::format("sftp://{}{}{}{}/{}", user.empty() ? "" : user + "@", name, port ? ":" : "",
                     port ? std::to_string(*port) : "", path);
}
}  // namespace restree
