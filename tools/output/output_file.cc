#include "tools/output/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "repo/system/file_io.h"

namespace restree {

Result<OutputFile> OutputFile::create(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC;
  UniqueFd fd(::open(path.c_str(), kFlags | O_EXCL, 0666));
  const bool is_new = bool(fd);
  if (!is_new && errno == EEXIST) fd = UniqueFd(::open(path.c_str(), kFlags, 0666));
  if (!fd) return errno_error(errno, "open " + path);
  return OutputFile(std::move(fd), path, is_new);
}

OutputFile::~OutputFile() {
  if (fd_ && is_new_ && !is_begun_) ::unlink(path_.c_str());
}

Status OutputFile::begin() {
  if (std::exchange(is_begun_, true) || is_new_) return {};
  struct stat attributes {};
  if (::fstat(fd_.get(), &attributes) != 0) return errno_error(errno, "look at " + path_);
  // Pipes and devices have nothing to cut.
  if (S_ISREG(attributes.st_mode) && ::ftruncate(fd_.get(), 0) != 0) {
    return errno_error(errno, "empty " + path_);
  }
  return {};
}

Status OutputFile::write(ByteView bytes) {
  RETURN_IF_ERROR(begin());
  if (const int error = write_all(fd_.get(), bytes); error != 0) {
    return errno_error(error, "write " + path_);
  }
  return {};
}

Status OutputFile::finish() { return begin(); }

}  // namespace restree
