// A real OpenSSH server on a free port of the loopback, for one test.
//
// Ownership: the server, its keys and configuration in a temporary folder; all of it ends with it.
// Throws std::runtime_error if the server cannot be started; needs /usr/sbin/sshd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "repo/base/unique_fd.h"
#include "repo/storage/ssh/ssh_options.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {

struct SshdOptions {
  bool external_sftp_server = false;  // /usr/lib/openssh/sftp-server, else internal-sftp
  bool sftp = true;
  std::vector<std::string> host_key_types{"ed25519"};  // as for ssh-keygen -t
  std::vector<std::string> config{};  // more lines for sshd_config; they win over the usual ones
};

// A port of the loopback that no other test uses as long as this lives, whether
// something listens there or not.
class ClaimedPort {
 public:
  ClaimedPort();
  std::uint16_t number() const { return number_; }

 private:
  std::uint16_t number_ = 0;
  UniqueFd claim_;
};

class Sshd {
 public:
  explicit Sshd(const SshdOptions& options = {});
  ~Sshd();
  Sshd(const Sshd&) = delete;
  Sshd& operator=(const Sshd&) = delete;

  std::uint16_t port() const { return port_.number(); }
  // "sftp://user@127.0.0.1:port//folder"
  std::string location(const std::filesystem::path& folder) const;
  // The same through a forwarder at another port of the loopback; known_hosts has it from now on.
  std::string location_behind(std::uint16_t port, const std::filesystem::path& folder) const;
  // Everything needed to log in, and nothing of the machine's own configuration.
  SshOptions ssh_options() const;
  // The same as options for restreefs and restree: "identity_file=…,known_hosts=…,ssh_config=…".
  std::string mount_options() const;

  std::filesystem::path identity() const { return dir_.path() / "user_key"; }
  std::filesystem::path known_hosts() const { return dir_.path() / "known_hosts"; }
  std::filesystem::path ssh_config() const { return dir_.path() / "ssh_config"; }
  std::filesystem::path authorized_keys() const { return dir_.path() / "authorized_keys"; }
  std::filesystem::path host_key(const std::string& type) const {
    return dir_.path() / ("host_" + type);
  }
  std::filesystem::path folder() const { return dir_.path(); }
  static std::string user();

  // What the server has logged so far.
  std::string log() const;
  // Connections that have been logged in, since the beginning.
  int logins() const;
  // How many connections are open now, logged in or not.
  int connections() const;

  // Ends the server and all its connections at once.
  void stop();
  // Starts the server again, on the same port.
  void start();
  // Resets every connection; the server lives.
  void kill_connections();
  // Every connection falls silent without being closed; new ones work.
  void freeze_connections();
  void thaw_connections();
  // As freeze_connections, and new connections get no answer either.
  void freeze();
  void thaw();

 private:
  void write_config(const SshdOptions& options);
  void know_host_at(std::uint16_t port) const;
  std::vector<pid_t> children() const;
  // All of them, after each has been stopped, so that none can have started another one since.
  std::vector<pid_t> stopped_children() const;

  TempDir dir_;
  std::vector<std::string> host_key_types_;
  ClaimedPort port_;
  std::optional<Process> server_;
};

// Makes a key pair: `path` and `path`.pub.
void make_ssh_key(const std::filesystem::path& path, const std::string& type,
                  const std::string& passphrase = "");

}  // namespace restree::testing
