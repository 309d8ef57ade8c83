// Everything that is needed to reach one SSH server and to log in there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/storage/ssh/ssh_options.h"

namespace restree {

struct SshTarget {
  std::string alias;     // the host's name as the user wrote it
  std::string host;      // its name or address for the connection
  std::string key_name;  // its name in known_hosts: "host", "[host]:2222", an alias
  std::uint16_t port = 22;
  std::string user;
  std::vector<std::string> identity_files;  // may name files that do not exist
  bool identities_only = false;             // of an agent's keys only these
  std::string agent_socket;                 // empty: no agent
  std::vector<std::string> known_hosts_files;
  std::vector<std::string> proxy;  // a command whose input and output are the connection, or empty
};

// What the user's configuration says about `alias`, as `ssh -G` reads it; where ssh is not
// installed, its defaults. Options win over `user` and `port`, which come from the location, and
// those win over the configuration. kInvalid: the alias or the configuration is unusable.
Result<SshTarget> find_ssh_target(const std::string& alias, const std::string& user,
                                  std::optional<std::uint16_t> port, const SshOptions& options,
                                  Deadline by);

// The first part of find_ssh_target, for tests: reads what `ssh -G` printed.
Result<SshTarget> parse_ssh_settings(const std::string& alias, std::string_view printed,
                                     const SshOptions& options);

}  // namespace restree
