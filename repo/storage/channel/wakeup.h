// A descriptor that another thread makes readable, to end a poll(2); and waits that it ends.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cstdint>

#include "repo/base/clock.h"
#include "repo/base/unique_fd.h"

namespace restree {

// Threads: any.
class Wakeup {
 public:
  Wakeup() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  int fd() const { return fd_.get(); }
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
  }
  void reset() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(fd_.get(), &count, sizeof count);
  }

 private:
  UniqueFd fd_;
};

// How long an attempt may take, and what ends it early.
struct Patience {
  Deadline by;
  const Wakeup* cancel = nullptr;  // once woken, every wait ends

  // Waits for `events` on `fd`; false if the deadline passed or the attempt was cancelled.
  bool wait(int fd, short events) const {
    while (true) {
      std::array<pollfd, 2> polled{
          {{fd, events, 0}, {cancel == nullptr ? -1 : cancel->fd(), POLLIN, 0}}};
      const int ready = ::poll(polled.data(), polled.size(), by.poll_timeout_ms());
      if (ready < 0) continue;  // EINTR is the only way to fail here
      if (polled[1].revents != 0) return false;
      if (polled[0].revents != 0) return true;
      if (by.expired()) return false;
    }
  }
  bool cancelled() const {
    if (cancel == nullptr) return false;
    pollfd polled{cancel->fd(), POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
  }
};

}  // namespace restree
