// SFTP through a program that makes the connection: ssh, or a command that the user names.
//
// For what libssh2 1.10 cannot do: RSA keys against OpenSSH since 8.8, certificates, FIDO keys.
//
// Ownership: the process and our end of its socket pair.
// Threads:   one at a time.
// Errors:    kUnavailable, and kDenied where ssh says that it was refused; the message is the last
//            that the program wrote to stderr. ssh never asks anything (BatchMode), but a command
//            of the user may: it has the terminal until the server's first bytes come.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/storage/channel/byte_channel.h"
#include "repo/storage/ssh/ssh_options.h"
#include "repo/system/child_process.h"

namespace restree {

class SshSubprocess final : public ByteChannel {
 public:
  static Result<std::unique_ptr<SshSubprocess>> start(std::string host,
                                                      const std::vector<std::string>& words);

  Result<std::size_t> read_some(MutableByteView into) override;
  Result<std::size_t> write_some(ByteView bytes) override;
  Wait wait_for() const override;
  std::uint64_t bytes_moved() const override { return moved_; }

 private:
  SshSubprocess(std::string host, Complaints complaints, ChildProcess process, UniqueFd fd)
      : host_(std::move(host)),
        complaints_(std::move(complaints)),
        process_(std::move(process)),
        fd_(std::move(fd)) {}
  Error ended(int failure);

  const std::string host_;
  Complaints complaints_;
  ChildProcess process_;
  UniqueFd fd_;  // closed before the process is waited for
  std::uint64_t moved_ = 0;
  bool full_ = false;
  bool has_answered_ = false;
};

// The command for one connection: options.command completed with what location and options say.
// If ssh would use ChaCha20 first, which is its default, and this processor has instructions for
// AES, AES-GCM is put before it: half the work for both ends.
// kInvalid: the command cannot be split into words, or `host` is not a host name.
Result<std::vector<std::string>> ssh_command(const std::string& host, const std::string& user,
                                             std::optional<std::uint16_t> port,
                                             const SshOptions& options);

}  // namespace restree
