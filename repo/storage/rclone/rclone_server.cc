#include "repo/storage/rclone/rclone_server.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "repo/base/readable.h"
#include "repo/storage/rclone/obscured.h"

namespace restree {
namespace {

constexpr std::string_view kSayItToSsh =
    "Name the server itself, sftp:USER@HOST:PATH, and let ssh do this: -o ssh_command and "
    "~/.ssh/config.";
constexpr std::string_view kLeaveItOut =
    "Leave it out, as the ones that are safe are chosen anyway, or name the server itself, "
    "sftp:USER@HOST:PATH, with -o ssh_command=ssh.";
constexpr std::string_view kNotCertificates =
    "Name the server itself, sftp:USER@HOST:PATH, with -o ssh_command=ssh, which knows "
    "certificates.";

struct Refusal {
  std::string_view key;
  std::string_view way_out;
};

// Settings that would change how the server is reached, or what is stored there under which name.
constexpr std::array<Refusal, 13> kRefused{{
    {"ssh",
     "Name the server itself, sftp:USER@HOST:PATH, and give this command as -o ssh_command."},
    {"server_command", kSayItToSsh},
    {"socks_proxy", kSayItToSsh},
    {"http_proxy", kSayItToSsh},
    {"set_env", kSayItToSsh},
    {"key_pem", "Write the key to a file of its own, and name that by key_file."},
    {"pubkey", kNotCertificates},
    {"pubkey_file", kNotCertificates},
    {"ciphers", kLeaveItOut},
    {"key_exchange", kLeaveItOut},
    {"macs", kLeaveItOut},
    {"host_key_algorithms", kLeaveItOut},
    {"encoding", "Leave it out, or name the server itself, sftp:USER@HOST:PATH."},
}};

Error bad_setting(const RcloneRemote& remote, std::string_view key, std::string_view why) {
  return {ErrorKind::kInvalid, fmt::format("rclone remote {} ({}): {}: {}", readable(remote.name()),
                                           remote.source(), key, why)};
}

// As Go's strconv.ParseBool reads it; what is not set is false.
Result<bool> flag(const RcloneRemote& remote, std::string_view key) {
  constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 7> kFalse{"", "0", "f", "F", "false", "FALSE", "False"};
  const std::string value = remote.value(key);
  if (std::ranges::find(kTrue, value) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, value) != kFalse.end()) return false;
  return bad_setting(remote, key, "neither true nor false");
}

template <class Number>
Result<std::optional<Number>> number(const RcloneRemote& remote, std::string_view key) {
  const std::string value = remote.value(key);
  if (value.empty()) return std::optional<Number>();
  Number parsed = 0;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (read.ec != std::errc() || read.ptr != value.data() + value.size()) {
    return bad_setting(remote, key, "not a number that fits");
  }
  return std::optional<Number>(parsed);
}

Result<std::shared_ptr<const Secret>> password_in(const RcloneRemote& remote,
                                                  std::string_view key) {
  const Secret obscured = remote.secret(key);
  if (obscured.empty()) return std::shared_ptr<const Secret>();
  Result<Secret> password = revealed(obscured.text());
  if (!password) {
    return bad_setting(remote, key, password.error().message()).hinting(password.error().hint());
  }
  return std::make_shared<const Secret>(std::move(*password));
}

Status refuse_unsupported(const RcloneRemote& remote, const std::string& known_hosts) {
  for (const Refusal& refusal : kRefused) {
    if (!remote.secret(refusal.key).empty()) {
      return unsupported_setting(remote, refusal.key, refusal.way_out);
    }
  }
  if (const std::string name = remote.value("subsystem"); !name.empty() && name != "sftp") {
    return unsupported_setting(remote, "subsystem", kSayItToSsh);
  }
  // rclone ignores these beside a file.
  if (known_hosts.empty() && !remote.value("host_keys").empty()) {
    return unsupported_setting(
        remote, "host_keys",
        "Write each key behind the server's name into a file, as ssh-keyscan prints them, and name "
        "that by known_hosts_file.");
  }
  ASSIGN_OR_RETURN(const bool is_insecure, flag(remote, "use_insecure_cipher"));
  if (is_insecure) return unsupported_setting(remote, "use_insecure_cipher", kLeaveItOut);
  return {};
}

}  // namespace

Error unsupported_setting(const RcloneRemote& remote, std::string_view key,
                          std::string_view way_out) {
  return Error(ErrorKind::kUnsupported,
               fmt::format("rclone remote {} ({}): the setting {} is not supported",
                           readable(remote.name()), remote.source(), key))
      .hinting(std::string(way_out));
}

Result<RcloneServer> rclone_server(const RcloneRemote& remote, std::string path) {
  const std::string known_hosts = remote.value("known_hosts_file");
  RETURN_IF_ERROR(refuse_unsupported(remote, known_hosts));
  RcloneServer server{.host = remote.value("host"),
                      .user = remote.value("user"),
                      .path = std::move(path),
                      .key_file = remote.file_name("key_file"),
                      .known_hosts_file = {}};
  if (server.host.empty()) return bad_setting(remote, "host", "it is not set");
  ASSIGN_OR_RETURN(server.port, number<std::uint16_t>(remote, "port"));
  if (server.port == 0) return bad_setting(remote, "port", "0 is not a port");
  if (server.port == 22) server.port.reset();
  // "none" would accept any server. Here that is never done.
  if (known_hosts != "none") server.known_hosts_file = remote.file_name("known_hosts_file");
  ASSIGN_OR_RETURN(server.password, password_in(remote, "pass"));
  ASSIGN_OR_RETURN(server.passphrase, password_in(remote, "key_file_pass"));
  ASSIGN_OR_RETURN(const bool asks, flag(remote, "ask_password"));
  ASSIGN_OR_RETURN(const bool wants_agent, flag(remote, "key_use_agent"));
  server.use_default_keys = server.key_file.empty() && server.password == nullptr && !asks;
  server.use_agent = server.use_default_keys || wants_agent;
  ASSIGN_OR_RETURN(const auto connections, number<unsigned>(remote, "connections"));
  server.connections = connections.value_or(0);
  return server;
}

}  // namespace restree
