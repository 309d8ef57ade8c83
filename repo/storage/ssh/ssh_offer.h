// The algorithms that an SSH server offers, read from its unencrypted greeting: for messages that
// say why no connection comes about.
#pragma once

#include <optional>
#include <string>

#include "repo/base/bytes.h"

namespace restree {

struct SshOffer {
  std::string software;  // "SSH-2.0-OpenSSH_9.2p1"
  std::string key_exchanges;
  std::string host_keys;  // comma-separated, as the server lists them
  std::string ciphers;
};

// Format: RFC 4253, 4.2 and 7.1. nullopt: the greeting is cut short or something else.
std::optional<SshOffer> parse_ssh_offer(ByteView greeting);

// True if the comma-separated lists have a name in common.
bool lists_meet(std::string_view ours, std::string_view theirs);

}  // namespace restree
