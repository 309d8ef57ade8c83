#include "repo/archiver/source_file.h"

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <utility>

namespace restree {
namespace {

// For smaller files the kernel's own read-ahead is good enough without a call for advice.
constexpr off_t kAdvisedBytes = 1 << 20;

}  // namespace

Result<SourceFile> SourceFile::open(const SourcePlace& place, const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  UniqueFd fd(::openat(place.folder_fd, place.name.c_str(), kFlags | O_NOATIME));
  // O_NOATIME is allowed only for the file's owner.
  if (!fd && errno == EPERM) {
    fd = UniqueFd(::openat(place.folder_fd, place.name.c_str(), kFlags));
  }
  if (!fd) return errno_error(errno, "open " + path);
  struct stat attributes {};
  if (::fstat(fd.get(), &attributes) != 0) return errno_error(errno, "stat " + path);
  if (!S_ISREG(attributes.st_mode)) {
    return Error(ErrorKind::kLocalIo, path + " is no longer a regular file");
  }
  if (attributes.st_size >= kAdvisedBytes) {
    static_cast<void>(::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
  }
  return SourceFile(std::move(fd), attributes, path);
}

SourceFile SourceFile::from_stream(UniqueFd fd, std::string name, std::stop_token stop) {
  SourceFile file(std::move(fd), {}, std::move(name));
  file.stop_ = std::move(stop);
  return file;
}

Status SourceFile::wait() const {
  constexpr int kSliceMs = 100;
  pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  while (!stop_.stop_requested()) {
    // If the descriptor has an error, the read that follows returns it.
    if (::poll(&ready, 1, kSliceMs) != 0 && ready.revents != 0) return {};
  }
  return Error(ErrorKind::kCancelled, "stopped reading " + path_);
}

Result<std::size_t> SourceFile::read(MutableByteView into) {
  std::size_t done = 0;
  while (done < into.size()) {
    if (stop_.stop_possible()) RETURN_IF_ERROR(wait());
    const ssize_t count = ::read(fd_.get(), into.data() + done, into.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error(errno, "read " + path_);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

}  // namespace restree
