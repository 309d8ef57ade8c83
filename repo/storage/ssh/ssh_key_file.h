// What can be read from a private key file without its passphrase.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Format: OpenSSH's PROTOCOL.key, and PEM (PKCS#1, SEC 1, PKCS#8).
struct SshKeyFile {
  std::string path;
  std::string type;  // "ssh-ed25519"; empty where the file does not say
  bool encrypted = false;
  std::vector<std::byte> public_key;  // as on the wire; empty where the file does not say

  bool is_rsa() const { return type == "ssh-rsa"; }

  static Result<SshKeyFile> read(const std::string& path);
  // kInvalid: not a private key.
  static Result<SshKeyFile> parse(std::string path, std::string_view text);
};

}  // namespace restree
