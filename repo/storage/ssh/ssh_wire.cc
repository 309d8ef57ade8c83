#include "repo/storage/ssh/ssh_wire.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "repo/base/log.h"
#include "repo/storage/channel/tcp.h"

namespace restree {

namespace {

constexpr std::size_t kMaxGreetingBytes = 8192;
constexpr std::string_view kGreetingBegin = "SSH-";

Result<std::array<UniqueFd, 2>> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return errno_error(errno, "make a socket pair");
  }
  return std::array<UniqueFd, 2>{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

template <class Callback>
void set_callback(LIBSSH2_SESSION* session, int type, Callback* callback) {
#if LIBSSH2_VERSION_NUM >= 0x010b01
  libssh2_session_callback_set2(session, type, reinterpret_cast<libssh2_cb_generic*>(callback));
#else
  libssh2_session_callback_set(session, type, reinterpret_cast<void*>(callback));
#endif
}

}  // namespace

Result<std::unique_ptr<SshWire>> SshWire::open(const SshTarget& target, const Patience& patience) {
  if (target.proxy.empty()) {
    auto fd = connect_tcp(target.host, target.port, patience);
    if (!fd) return std::move(fd).error();
    return std::unique_ptr<SshWire>(new SshWire(target.alias, std::move(*fd)));
  }
  ASSIGN_OR_RETURN(auto ends, socket_pair());
  std::unique_ptr<SshWire> wire(new SshWire(target.alias, std::move(ends[0])));
  Complaints complaints;
  auto proxy = ChildProcess::start(target.proxy, {ends[1].get(), ends[1].get(), complaints.fd()},
                                   ChildProcess::Terminal::kUntilTakenBack);
  if (!proxy) return std::move(proxy).error().with(target.alias + ": proxy");
  wire->proxy_complaints_.emplace(std::move(complaints));
  wire->proxy_.emplace(std::move(*proxy));
  return wire;
}

void SshWire::attach(LIBSSH2_SESSION* session) {
  set_callback(session, LIBSSH2_CALLBACK_SEND, &SshWire::send_callback);
  set_callback(session, LIBSSH2_CALLBACK_RECV, &SshWire::receive_callback);
  set_callback(session, LIBSSH2_CALLBACK_DISCONNECT, &SshWire::disconnect_callback);
}

void SshWire::disconnect_callback(LIBSSH2_SESSION*, int, const char* message, int size, const char*,
                                  int, void** abstract) {
  auto& wire = *static_cast<SshWire*>(*abstract);
  wire.ended_ = true;
  if (size > 0) wire.farewell_.assign(message, static_cast<std::size_t>(size));
}

ssize_t SshWire::send_callback(libssh2_socket_t, const void* data, std::size_t size, int,
                               void** abstract) {
  return static_cast<SshWire*>(*abstract)->send(data, size);
}

ssize_t SshWire::receive_callback(libssh2_socket_t, void* data, std::size_t size, int,
                                  void** abstract) {
  return static_cast<SshWire*>(*abstract)->receive(data, size);
}

// Takes everything, so that libssh2 never has to remember a packet that is half sent.
ssize_t SshWire::send(const void* data, std::size_t size) {
  if (failure_ != 0) return -failure_;
  const auto* bytes = static_cast<const std::byte*>(data);
  unsent_.insert(unsent_.end(), bytes, bytes + size);
  if (!has_asked_for_login_) note_sent({bytes, size});
  if (shut_) push();
  return static_cast<ssize_t>(size);
}

// libssh2 does not say how far a handshake has come, but what it sends does. The last packet that is
// not encrypted is NEWKEYS; the next one, which it sends once the server's NEWKEYS is there, asks for
// the service.
void SshWire::note_sent(ByteView packet) {
  constexpr std::size_t kTypeAt = 5;  // after the lengths of packet and padding
  constexpr std::byte kNewKeys{21};
  has_asked_for_login_ = has_sent_new_keys_;
  has_sent_new_keys_ = packet.size() > kTypeAt && packet[kTypeAt] == kNewKeys;
}

void SshWire::push() {
  while (sent_ < unsent_.size() && failure_ == 0) {
    const ssize_t sent = ::send(fd_.get(), unsent_.data() + sent_, unsent_.size() - sent_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) {
        failure_ = errno;
        ended_ = true;
      }
      return;
    }
    sent_ += static_cast<std::size_t>(sent);
    moved_ += static_cast<std::uint64_t>(sent);
  }
  unsent_.clear();
  sent_ = 0;
}

void SshWire::shut() {
  push();
  shut_ = true;
}

ssize_t SshWire::receive(void* data, std::size_t size) {
  if (shut_) return 0;
  if (allowance_ == 0) return -EAGAIN;
  ssize_t got = 0;
  do {
    got = ::recv(fd_.get(), data, std::min(size, allowance_), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    if (errno == EAGAIN) return -EAGAIN;
    failure_ = errno;
    ended_ = true;
    return -failure_;
  }
  if (got == 0) ended_ = true;
  // A proxy has asked what it had to, once the server answers.
  if (moved_ == 0 && proxy_) proxy_->take_terminal_back();
  const auto count = static_cast<std::size_t>(got);
  moved_ += count;
  if (allowance_ != kNoAllowance) allowance_ -= count;
  if (!has_greeted_ && !look_for_greeting({static_cast<const std::byte*>(data), count})) {
    failure_ = EPROTO;
    ended_ = true;
    return -failure_;
  }
  if (greeting_.size() < kMaxGreetingBytes) {
    const auto* bytes = static_cast<const std::byte*>(data);
    const std::size_t room = kMaxGreetingBytes - greeting_.size();
    greeting_.insert(greeting_.end(), bytes, bytes + std::min(room, count));
  }
  return got;
}

bool SshWire::look_for_greeting(ByteView bytes) {
  for (const char c : as_text(bytes)) {
    if (line_.size() < kGreetingBegin.size()) line_ += c;
    if (line_ == kGreetingBegin) {
      has_greeted_ = true;
      return true;
    }
    if (c == '\n') line_.clear();
  }
  before_greeting_ += bytes.size();
  return before_greeting_ <= kMaxBytesBeforeGreeting;
}

ByteChannel::Wait SshWire::wait_for() const {
  return {fd_.get(), static_cast<short>(POLLIN | (unsent() > 0 ? POLLOUT : 0))};
}

Error SshWire::too_late(const Patience& patience, std::string_view doing) const {
  return {ErrorKind::kUnavailable,
          fmt::format("{}: {}: {}", host_, doing,
                      patience.cancelled() ? "given up" : "the server does not answer in time")};
}

std::string SshWire::last_words() const {
  if (!farewell_.empty()) return "the server says " + log::quoted(farewell_);
  if (proxy_complaints_) {
    // The proxy's stream may end before its error message is written; this waits a moment for it.
    if (proxy_) const_cast<ChildProcess&>(*proxy_).ended(std::chrono::milliseconds(200));
    if (auto words = proxy_complaints_->last_words(); !words.empty()) {
      return "proxy: " + log::quoted(words);
    }
  }
  if (failure_ == EPROTO && !has_greeted_) return "what answers is not an SSH server";
  if (failure_ != 0) return std::generic_category().message(failure_);
  return ended_ ? "the server closed the connection" : "";
}

}  // namespace restree
