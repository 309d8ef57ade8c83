// What a user may set about SSH connections; the defaults suit most users.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/storage/channel/rate_limit.h"

namespace restree {

// Where a password comes from: a file, a command, a prompt. `what_for` says what the secret is for,
// in words that can stand before a prompt's colon. Called by one thread at a time, possibly not the
// caller's.
using SecretSource = std::function<Result<Secret>(const std::string& what_for)>;

struct SshOptions {
  std::string config_file;  // instead of ~/.ssh/config
  // Runs this instead of the built-in SSH: "ssh", or "ssh -i key". The host and `-s sftp` are
  // added, unless its last word is `sftp` or names an sftp-server: then it is complete.
  std::string command;
  std::string user;  // these four, if set, win over location and configuration
  std::optional<std::uint16_t> port;
  std::vector<std::string> identity_files;
  std::string known_hosts_file;
  bool use_agent = true;
  bool use_default_keys = true;  // where identity_files is empty: those of the configuration
  SecretSource password;         // for the login; may be empty: then none is tried
  SecretSource passphrase;       // for an encrypted key file; may be empty
  bool names_password = false;   // the user named a file or a command that gives it
  bool names_passphrase = false;
  RateLimits limits;  // for all connections together
  unsigned connections = 4;
  // Counts those that are open; may be null.
  std::shared_ptr<std::atomic<unsigned>> open_connections;
  std::chrono::milliseconds connect_timeout{15000};
  std::chrono::milliseconds silence{15000};  // a connection that owes answers for so long is dead
};

}  // namespace restree
