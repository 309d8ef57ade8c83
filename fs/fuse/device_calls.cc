#include "fs/fuse/device_calls.h"

#include <linux/fuse.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "repo/base/log.h"
#include "repo/base/result.h"

namespace restree {
namespace {

// After a read for which the kernel had no memory.
constexpr std::chrono::milliseconds kReadPause{20};

// The request is gone: its caller was interrupted, or the mount has ended.
bool is_unasked(int error) { return error == ENOENT || error == ENODEV; }

void answer_with_an_error(int fd, const iovec& begin, int refusal) {
  fuse_out_header header{};
  if (begin.iov_len < sizeof header) return;
  std::memcpy(&header, begin.iov_base, sizeof header);
  if (header.unique == 0) return;  // a notification, for which nobody waits
  log::error("the kernel refused {} bytes of a reply, which becomes an input/output error: {}",
             header.len, errno_error(refusal, "/dev/fuse").message());
  header.len = sizeof header;
  header.error = -EIO;
  if (::write(fd, &header, sizeof header) < 0 && !is_unasked(errno)) {
    log::error("a request stays without a reply: {}", errno_error(errno, "/dev/fuse").message());
  }
}

ssize_t write_reply(int fd, iovec* parts, int count, void*) {
  const ssize_t written = ::writev(fd, parts, count);
  if (written >= 0 || count < 1) return written;
  const int refusal = errno;
  if (!is_unasked(refusal)) answer_with_an_error(fd, parts[0], refusal);
  errno = refusal;
  return -1;
}

// EINTR goes to the caller: that is how a worker is woken.
ssize_t read_request(int fd, void* into, std::size_t size, void*) {
  for (;;) {
    const ssize_t received = ::read(fd, into, size);
    if (received >= 0 || (errno != EAGAIN && errno != ENOMEM)) return received;
    pollfd waiting{};
    waiting.fd = fd;
    // Without events asked for, poll() only waits.
    waiting.events = errno == EAGAIN ? POLLIN : 0;
    const int limit = errno == EAGAIN ? -1 : static_cast<int>(kReadPause.count());
    if (::poll(&waiting, 1, limit) < 0 && errno == EINTR) return -1;
  }
}

}  // namespace

const fuse_custom_io& device_calls() {
  static const fuse_custom_io calls = [] {
    fuse_custom_io made{};
    made.writev = write_reply;
    made.read = read_request;
    return made;
  }();
  return calls;
}

}  // namespace restree
