#include "repo/system/file_io.h"

#include <unistd.h>

#include <cerrno>

namespace restree {
namespace {

// Calls `write_some(done)`, which writes from there on, until `size` bytes are written.
template <class WriteSome>
int write_on(std::size_t size, WriteSome write_some) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t count = write_some(done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    done += static_cast<std::size_t>(count);
  }
  return 0;
}

}  // namespace

ReadCount read_at(int fd, std::uint64_t offset, MutableByteView into) {
  ReadCount read;
  while (read.bytes < into.size()) {
    const MutableByteView rest = into.subspan(read.bytes);
    const ssize_t count =
        ::pread(fd, rest.data(), rest.size(), static_cast<off_t>(offset + read.bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) read.error = errno;
    if (count <= 0) break;
    read.bytes += static_cast<std::size_t>(count);
  }
  return read;
}

int write_at(int fd, std::uint64_t offset, ByteView bytes) {
  return write_on(bytes.size(), [&](std::size_t done) {
    const ByteView rest = bytes.subspan(done);
    return ::pwrite(fd, rest.data(), rest.size(), static_cast<off_t>(offset + done));
  });
}

int write_all(int fd, ByteView bytes) {
  return write_on(bytes.size(), [&](std::size_t done) {
    const ByteView rest = bytes.subspan(done);
    return ::write(fd, rest.data(), rest.size());
  });
}

}  // namespace restree
