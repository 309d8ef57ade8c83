#include "program/sftp_kind.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"
#include "repo/storage/channel/limited_channel.h"
#include "repo/storage/decorators/retry_storage.h"
#include "repo/storage/sftp/sftp_location.h"
#include "repo/storage/sftp/sftp_pool.h"
#include "repo/storage/sftp/sftp_storage.h"
#include "repo/storage/ssh/ssh_login.h"
#include "repo/storage/ssh/ssh_session.h"
#include "repo/storage/ssh/ssh_subprocess.h"
#include "repo/storage/ssh/ssh_target.h"

namespace restree {
namespace {

Result<std::unique_ptr<SftpConnection>> greet(std::unique_ptr<ByteChannel> channel,
                                              const std::string& host, const SshOptions& options,
                                              const Patience& patience) {
  ASSIGN_OR_RETURN(channel, LimitedChannel::make(std::move(channel), options.limits));
  ASSIGN_OR_RETURN(auto client,
                   SftpClient::start(std::move(channel), host, options.silence, patience));
  return std::make_unique<SftpConnection>(std::move(client), options.open_connections);
}

SftpPool::Connect through_subprocess(const SftpLocation& location, const SshOptions& options,
                                     std::vector<std::string> words) {
  return [host = location.host, options, words = std::move(words)](
             const Patience& patience) -> Result<std::unique_ptr<SftpConnection>> {
    ASSIGN_OR_RETURN(auto channel, SshSubprocess::start(host, words));
    return greet(std::move(channel), host, options, patience);
  };
}

// The configuration is read once, by the first attempt that succeeds in reading it.
SftpPool::Connect through_libssh2(const SftpLocation& location, const SshOptions& options) {
  struct Kept {
    explicit Kept(const SshOptions& options) : login(options.password, options.passphrase) {}
    SshLogin login;
    Guarded<std::optional<SshTarget>> target;
  };
  const auto kept = std::make_shared<Kept>(options);
  return
      [location, options, kept](const Patience& given) -> Result<std::unique_ptr<SftpConnection>> {
        Patience patience = given;
        std::optional<SshTarget> target;
        {
          auto read = kept->target.lock();
          if (!*read) {
            ASSIGN_OR_RETURN(*read, find_ssh_target(location.host, location.user, location.port,
                                                    options, patience.by));
          }
          target = *read;
        }
        ASSIGN_OR_RETURN(auto channel, SshSession::connect(*target, kept->login, patience));
        return greet(std::move(channel), location.host, options, patience);
      };
}

class SftpPlace final : public Location {
 public:
  SftpPlace(SftpLocation location, std::string written)
      : location_(std::move(location)), written_(std::move(written)) {}

  std::string description() const override { return written_; }
  bool is_far() const override { return true; }
  std::optional<std::string> folder() const override { return std::nullopt; }

  std::string identity(const SshOptions& options) const override {
    SftpLocation named = location_;
    if (!options.user.empty()) named.user = options.user;
    if (options.port) named.port = options.port;
    return named.description() + "\n" + options.command;
  }

  Result<std::shared_ptr<Storage>> make_storage(const SshOptions& options,
                                                const std::stop_token& stop) const override {
    SftpPool::Connect connect;
    if (options.command.empty()) {
      connect = through_libssh2(location_, options);
    } else {
      ASSIGN_OR_RETURN(auto words,
                       ssh_command(location_.host, location_.user, location_.port, options));
      connect = through_subprocess(location_, options, std::move(words));
    }
    auto pool = std::make_unique<SftpPool>(location_.host, options.connections,
                                           options.connect_timeout, std::move(connect));
    auto storage = std::make_shared<SftpStorage>(std::move(pool), location_.path, written_);
    return std::shared_ptr<Storage>(
        std::make_shared<RetryStorage>(std::move(storage), BackOff{}, stop));
  }

 private:
  const SftpLocation location_;
  const std::string written_;
};

}  // namespace

Result<std::unique_ptr<const Location>> parse_sftp_kind(std::string_view text) {
  ASSIGN_OR_RETURN(SftpLocation location, parse_sftp_location(text));
  std::string description = location.description();
  return sftp_location(std::move(location), std::move(description));
}

std::unique_ptr<const Location> sftp_location(SftpLocation location, std::string written) {
  return std::make_unique<SftpPlace>(std::move(location), std::move(written));
}

}  // namespace restree
