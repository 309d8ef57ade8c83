// One end of a socket pair as a ByteChannel, for tests that play the server at the other end.
#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <utility>

#include "repo/base/unique_fd.h"
#include "repo/storage/channel/byte_channel.h"

namespace restree::testing {

class SocketChannel final : public ByteChannel {
 public:
  // The channel, and the server's end.
  static std::pair<std::unique_ptr<SocketChannel>, UniqueFd> make() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw std::runtime_error("socketpair");
    }
    return {std::make_unique<SocketChannel>(UniqueFd(ends[0])), UniqueFd(ends[1])};
  }
  explicit SocketChannel(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<std::size_t> read_some(MutableByteView into) override {
    const ssize_t got = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
    if (got > 0) return moved(got);
    if (got < 0 && errno == EAGAIN) return std::size_t{0};
    return Error(ErrorKind::kUnavailable, "the other end closed");
  }
  Result<std::size_t> write_some(ByteView bytes) override {
    if (bytes.empty()) return std::size_t{0};
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    full_ = sent < 0 && errno == EAGAIN;
    if (sent > 0) return moved(sent);
    if (full_) return std::size_t{0};
    return Error(ErrorKind::kUnavailable, "the other end closed");
  }
  Wait wait_for() const override {
    return {fd_.get(), static_cast<short>(POLLIN | (full_ ? POLLOUT : 0))};
  }
  std::uint64_t bytes_moved() const override { return moved_; }

 private:
  std::size_t moved(ssize_t count) {
    moved_ += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }
  UniqueFd fd_;
  std::uint64_t moved_ = 0;
  bool full_ = false;
};

}  // namespace restree::testing
