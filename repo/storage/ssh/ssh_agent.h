// An SSH agent: it signs with private keys that it never hands out.
//
// Format: draft-miller-ssh-agent.
// Threads: one at a time.
// Errors:  kUnavailable: no agent there, or it does not keep to its protocol. kDenied: it refuses
//          to sign.
#pragma once

#include <string>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/storage/channel/wakeup.h"

namespace restree {

class SshAgent {
 public:
  struct Key {
    std::vector<std::byte> public_key;  // as on the wire
    std::string type;
    std::string comment;
  };

  static Result<SshAgent> connect(const std::string& socket_path);

  Result<std::vector<Key>> keys(const Patience& patience);
  // The bare signature, without the name of its algorithm.
  Result<std::vector<std::byte>> sign(const Key& key, ByteView data, const Patience& patience);

 private:
  explicit SshAgent(UniqueFd fd) : fd_(std::move(fd)) {}
  // Sends a request (type and body); returns the answer's body if its type is `wanted`.
  Result<std::vector<std::byte>> ask(ByteView request, std::byte wanted, const Patience& patience);

  UniqueFd fd_;
};

}  // namespace restree
