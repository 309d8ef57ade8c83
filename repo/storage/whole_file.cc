#include "repo/storage/whole_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "repo/storage/storage.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

// Files from this size on are written around the page cache, in steps of whole blocks.
constexpr std::size_t kDirectBytes = 1 << 20;
constexpr std::size_t kDirectBlockBytes = 4096;
constexpr std::size_t kDirectStepBytes = 8 << 20;

// Writes as much as it can of a large file around the page cache, where nobody needs it and where
// writing costs more than all work on its bytes before. Only whole blocks, from memory aligned to
// blocks; on a file system that cannot do this nothing is written. Returns what is left to write.
ByteView write_around_cache(const UniqueFd& fd, ByteView content) {
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(content.data()) % kDirectBlockBytes == 0;
  if (content.size() < kDirectBytes || !is_aligned) return content;
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, flags | O_DIRECT) != 0) return content;
  for (off_t at = 0; content.size() >= kDirectBlockBytes;) {
    const std::size_t blocks = std::min(content.size(), kDirectStepBytes) / kDirectBlockBytes;
    const ssize_t count = ::pwrite(fd.get(), content.data(), blocks * kDirectBlockBytes, at);
    if (count <= 0 || static_cast<std::size_t>(count) % kDirectBlockBytes != 0) break;
    content = content.subspan(static_cast<std::size_t>(count));
    at += count;
  }
  // If something is wrong, the ordinary write of the rest fails too, and reports it.
  static_cast<void>(::fcntl(fd.get(), F_SETFL, flags));
  return content;
}

Status write_exactly(const UniqueFd& fd, const std::string& path, ByteView content) {
  const ByteView rest = write_around_cache(fd, content);
  if (const int error = write_at(fd.get(), content.size() - rest.size(), rest); error != 0) {
    return errno_error(error, "write " + path);
  }
  if (::fsync(fd.get()) != 0 && errno != ENOTSUP && errno != EINVAL) {
    return errno_error(errno, "sync " + path);
  }
  return {};
}

}  // namespace

Result<WholeFile> WholeFile::create(const std::string& path) {
  std::string temporary = path + std::string(kTemporaryMark) + "XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return errno_error(errno, "create " + temporary);
  return WholeFile(std::move(temporary), path, std::move(fd));
}

WholeFile::WholeFile(WholeFile&& other) noexcept
    : temporary_(std::exchange(other.temporary_, {})),
      path_(std::move(other.path_)),
      fd_(std::move(other.fd_)) {}

WholeFile& WholeFile::operator=(WholeFile&& other) noexcept {
  std::swap(temporary_, other.temporary_);
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

WholeFile::~WholeFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status WholeFile::publish(ByteView content, mode_t mode) && {
  WholeFile file = std::move(*this);
  RETURN_IF_ERROR(write_exactly(file.fd_, file.temporary_, content));
  // Not every file system has permissions; the content is what counts.
  static_cast<void>(::fchmod(file.fd_.get(), mode));
  file.fd_.reset();
  if (::rename(file.temporary_.c_str(), file.path_.c_str()) != 0) {
    return errno_error(errno, "rename " + file.temporary_ + " to " + file.path_);
  }
  file.temporary_.clear();
  return {};
}

Status sync_folder(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error(errno, "open " + folder);
  if (::fsync(fd.get()) != 0 && errno != ENOTSUP && errno != EINVAL) {
    return errno_error(errno, "sync " + folder);
  }
  return {};
}

}  // namespace restree
