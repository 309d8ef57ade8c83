// The place that `rclone:REMOTE:PATH` names, for remotes that rclone adds nothing to: a folder of
// this machine, or one on an SFTP server.
//
// An alias of such a remote is followed. Whatever else would have to change how the server is
// reached or what is stored is refused by its name; what is about copying many files (checksums,
// times, numbers of requests) is ignored.
//
// Ownership: the passwords.
// Threads:   any, while no thread changes the environment.
// Errors:    kInvalid: not such a text, no such remote, or a setting that rclone refuses as well.
//            kUnsupported: a remote or a setting that needs rclone. Those of RcloneFile.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "repo/base/result.h"
#include "repo/crypto/secret.h"

namespace restree {

struct RcloneFolder {
  std::string path;
};

struct RcloneServer {
  std::string host;
  std::string user;                        // empty: not stated
  std::optional<std::uint16_t> port = {};  // not if it is 22
  std::string path;                        // absolute, or relative to the login folder
  std::string key_file;                    // absolute, or empty
  std::string known_hosts_file;            // absolute, or empty
  bool use_agent = false;
  bool use_default_keys = false;                       // those that ssh would try by itself
  std::shared_ptr<const Secret> password = nullptr;    // of the login; nullptr: not stated
  std::shared_ptr<const Secret> passphrase = nullptr;  // of the key file; nullptr: not stated
  unsigned connections = 0;                            // at most; 0: not stated
};

using RclonePlace = std::variant<RcloneFolder, RcloneServer>;

// `text` is what stands behind "rclone:".
Result<RclonePlace> find_rclone_place(std::string_view text);

}  // namespace restree
