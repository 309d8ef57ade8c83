// The words that make restreefs reach a repository through a test's own SSH server.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/support/mounted.h"
#include "tests/support/restic.h"
#include "tests/support/sshd.h"

namespace restree::testing {

enum class SshTransport { kBuiltIn, kCommand };

inline MountRequest mount_over_ssh(const Restic& restic, const Sshd& sshd, SshTransport transport,
                                   std::vector<std::string> options = {}) {
  const std::string known_hosts = sshd.known_hosts().string();
  options.push_back("ssh_config=" + sshd.ssh_config().string());
  options.push_back("ssh_key=" + sshd.identity().string());
  options.push_back("ssh_known_hosts=" + known_hosts);
  if (transport == SshTransport::kCommand) {
    options.push_back("ssh_command=ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -i " +
                      sshd.identity().string() + " -o UserKnownHostsFile=" + known_hosts);
  }
  MountRequest request = mount_of(restic, std::move(options));
  request.location = sshd.location(restic.repository());
  return request;
}

}  // namespace restree::testing
