// The socket under one libssh2 session, and the waiting that libssh2 leaves to its caller.
//
// Only for the two other sources that call libssh2: ssh_session and ssh_login.
//
// Ownership: socket, and the proxy process if there is one. Must outlive the session that uses it.
// Threads:   one at a time.
#pragma once

#include <libssh2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"
#include "repo/storage/channel/byte_channel.h"
#include "repo/storage/channel/wakeup.h"
#include "repo/storage/ssh/ssh_target.h"
#include "repo/system/child_process.h"

namespace restree {

class SshWire {
 public:
  static constexpr std::size_t kNoAllowance = SIZE_MAX;
  // How much a server may say before its greeting; OpenSSH's client stops at 1024 lines.
  static constexpr std::size_t kMaxBytesBeforeGreeting = 64 << 10;

  // Connects, or starts the proxy.
  static Result<std::unique_ptr<SshWire>> open(const SshTarget& target, const Patience& patience);

  // Makes the session send and receive here. `session` was made with this wire as its abstract.
  void attach(LIBSSH2_SESSION* session);

  // Repeats `call` (int or ssize_t from libssh2) until it returns something other than EAGAIN, and
  // returns that. kUnavailable: it did not end in time, also if bytes come without end.
  template <class Call>
  Result<long> drive(const Patience& patience, std::string_view doing, Call call) {
    while (true) {
      allow(kDrivenBytes);
      const long outcome = static_cast<long>(call());
      push();
      if (outcome != LIBSSH2_ERROR_EAGAIN) return outcome;
      const auto wait = wait_for();
      if (patience.by.expired() || !patience.wait(wait.fd, wait.events)) {
        return too_late(patience, doing);
      }
    }
  }

  // From now on the session may take in so many bytes.
  void allow(std::size_t bytes) { allowance_ = bytes; }
  // True once the keys of both sides are in use and the session has asked for the service that logs
  // users in: requests to it may follow at once. Only its answer is left of the handshake.
  bool has_asked_for_login() const { return has_asked_for_login_; }
  // Bytes that the session has sent and the socket has not taken yet.
  std::size_t unsent() const { return unsent_.size() - sent_; }
  // Offers those bytes to the socket.
  void push();
  // From now on nothing comes in, and what the session sends is offered to the socket once.
  void shut();

  ByteChannel::Wait wait_for() const;
  std::uint64_t bytes_moved() const { return moved_; }
  int fd() const { return fd_.get(); }

  // The start of what the server sent, as long as it is not encrypted yet.
  ByteView greeting() const { return greeting_; }
  // True once the other side has closed, or the network has.
  bool ended() const { return ended_; }
  // Why it ended, in the words of server, proxy or socket; may be empty.
  std::string last_words() const;

  // For callbacks during a login: libssh2 hands them the session's abstract only, which is this
  // wire.
  void* login = nullptr;

 private:
  // A call of libssh2 takes in bytes for as long as there are any; this lets it return.
  static constexpr std::size_t kDrivenBytes = 64 << 10;

  SshWire(std::string host, UniqueFd fd) : host_(std::move(host)), fd_(std::move(fd)) {}
  Error too_late(const Patience& patience, std::string_view doing) const;
  ssize_t send(const void* data, std::size_t size);
  ssize_t receive(void* data, std::size_t size);
  void note_sent(ByteView packet);
  // Looks for the line that begins with "SSH-" in what comes first. False: it is too far away.
  bool look_for_greeting(ByteView bytes);
  static ssize_t send_callback(libssh2_socket_t fd, const void* data, std::size_t size, int flags,
                               void** abstract);
  static ssize_t receive_callback(libssh2_socket_t fd, void* data, std::size_t size, int flags,
                                  void** abstract);

  static void disconnect_callback(LIBSSH2_SESSION* session, int reason, const char* message,
                                  int size, const char* language, int language_size,
                                  void** abstract);

  std::string host_;
  std::optional<Complaints> proxy_complaints_;
  std::optional<ChildProcess> proxy_;
  UniqueFd fd_;  // closed before the proxy is waited for
  std::vector<std::byte> unsent_;
  std::size_t sent_ = 0;
  std::size_t allowance_ = kNoAllowance;
  std::uint64_t moved_ = 0;
  std::vector<std::byte> greeting_;
  std::string line_;  // the first bytes of the line that is coming in before the greeting
  std::size_t before_greeting_ = 0;
  bool has_greeted_ = false;
  bool has_sent_new_keys_ = false;
  bool has_asked_for_login_ = false;
  int failure_ = 0;  // errno
  bool shut_ = false;
  bool ended_ = false;
  std::string farewell_;  // the server's own reason
};

}  // namespace restree
