// For tests of the emulated line: a server that listens behind it, and connections through it whose
// two ends the test holds.
#pragma once

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <string>
#include <system_error>

#include "repo/base/unique_fd.h"
#include "tests/support/line_emulator.h"

namespace restree::testing {

// No test waits for ever.
inline UniqueFd with_patience(UniqueFd fd) {
  const timeval limit{.tv_sec = 30, .tv_usec = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

inline UniqueFd patient_socket() {
  UniqueFd fd = with_patience(UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

inline sockaddr_in loopback_at(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// The connection, or no descriptor and errno.
inline UniqueFd connect_to(std::uint16_t port) {
  UniqueFd fd = patient_socket();
  const sockaddr_in address = loopback_at(port);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int why = errno;
    fd.reset();
    errno = why;
  }
  return fd;
}

class Listener {
 public:
  Listener() : fd_(patient_socket()) {
    sockaddr_in address = loopback_at(0);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_.get(), generic, size) != 0 || ::listen(fd_.get(), 16) != 0 ||
        ::getsockname(fd_.get(), generic, &size) != 0) {
      throw std::system_error(errno, std::generic_category(), "listen");
    }
    port_ = ntohs(address.sin_port);
  }
  std::uint16_t port() const { return port_; }
  UniqueFd accept() const {
    return with_patience(UniqueFd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  }
  void stop() { fd_.reset(); }

 private:
  UniqueFd fd_;
  std::uint16_t port_ = 0;
};

inline bool send_all(const UniqueFd& fd, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t put = ::send(fd.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (put < 0) return false;
    sent += static_cast<std::size_t>(put);
  }
  return true;
}

// Reads until there are `size` bytes, or the end.
inline std::string receive(const UniqueFd& fd, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more = ::recv(fd.get(), bytes.data() + got, size - got, 0);
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  bytes.resize(got);
  return bytes;
}

// Both ends of a connection over the line.
struct Pair {
  Pair(const LineEmulator& line, const Listener& listener)
      : client(connect_to(line.port())), server(listener.accept()) {}
  // There and back.
  bool echo(const std::string& bytes = "x") const {
    return send_all(client, bytes) && receive(server, bytes.size()) == bytes &&
           send_all(server, bytes) && receive(client, bytes.size()) == bytes;
  }

  UniqueFd client;
  UniqueFd server;
};

}  // namespace restree::testing
