// One authenticated SSH connection and the channel on which its server speaks SFTP.
//
// libssh2 never sees the socket: it sends and receives through callbacks. The one that sends keeps
// the bytes that the socket does not take yet, so that libssh2 never stops in the middle of a
// packet (which would forbid every other call). The one that receives lets in a bounded stretch at
// a time, so that data is copied out of libssh2 while it is still in the processor's cache.
//
// Ownership: socket or proxy process, session, channel; the channel is destroyed first.
// Threads:   one at a time (libssh2 has no lock per session).
// Limits:    a receive window that fits the line (see FlightWindow); kMaxUnsentBytes kept for the
//            socket.
// Errors:    kDenied: host key or login. kUnsupported: no SFTP there, or no algorithm in common.
//            kUnavailable: no address for the name, or the network failed; the session is then
//            of no more use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "repo/base/result.h"
#include "repo/storage/channel/byte_channel.h"
#include "repo/storage/channel/flight_window.h"
#include "repo/storage/channel/wakeup.h"
#include "repo/storage/ssh/known_hosts.h"
#include "repo/storage/ssh/ssh_login.h"
#include "repo/storage/ssh/ssh_target.h"

struct _LIBSSH2_CHANNEL;
struct _LIBSSH2_SESSION;

namespace restree {

class SshWire;

class SshSession final : public ByteChannel {
 public:
  static constexpr std::size_t kMaxUnsentBytes = 256 << 10;

  // Adds to `patience` the time that a person takes to type a password, also for what comes after.
  static Result<std::unique_ptr<SshSession>> connect(const SshTarget& target, SshLogin& login,
                                                     Patience& patience);
  ~SshSession() override;

  Result<std::size_t> read_some(MutableByteView into) override;
  Result<std::size_t> write_some(ByteView bytes) override;
  Wait wait_for() const override;
  std::uint64_t bytes_moved() const override;

 private:
  struct EndSession {
    void operator()(_LIBSSH2_SESSION* session) const;
  };
  struct EndChannel {
    void operator()(_LIBSSH2_CHANNEL* channel) const;
  };

  SshSession(std::string host, std::unique_ptr<SshWire> wire);
  Status shake_hands(const SshTarget& target, const Patience& patience);
  Status check_host_key(const SshTarget& target, const KnownHosts& known);
  Status open_channel(const Patience& patience);
  void widen_window(std::size_t received);
  // The one place where an SSH code becomes an Error.
  Error take_error(std::string_view doing) const;

  const std::string host_;
  std::unique_ptr<SshWire> wire_;
  std::unique_ptr<_LIBSSH2_SESSION, EndSession> session_;
  std::unique_ptr<_LIBSSH2_CHANNEL, EndChannel> channel_;
  bool is_shaking_hands_ = false;
  std::optional<FlightWindow> window_;  // once the round trip is known
};

}  // namespace restree
