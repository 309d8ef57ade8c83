#include "repo/storage/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <utility>

#include "repo/base/unique_fd.h"
#include "repo/storage/whole_file.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

constexpr mode_t kPrivateFolder = 0700;
constexpr mode_t kPrivateFile = 0600;

Status make_folders(const std::string& folder) {
  for (std::size_t slash = folder.find('/', 1);; slash = folder.find('/', slash + 1)) {
    const std::string part = folder.substr(0, slash);
    if (::mkdir(part.c_str(), kPrivateFolder) != 0 && errno != EEXIST) {
      return errno_error(errno, "make folder " + part);
    }
    if (slash == std::string::npos) return {};
  }
}

}  // namespace

Status write_private_file(const std::string& path, ByteView content) {
  const std::string folder = path.substr(0, path.rfind('/'));
  RETURN_IF_ERROR(make_folders(folder));
  ASSIGN_OR_RETURN(WholeFile file, WholeFile::create(path));
  RETURN_IF_ERROR(std::move(file).publish(content, kPrivateFile));
  return sync_folder(folder);
}

Result<std::string> read_private_file(const std::string& path, std::uint64_t most_bytes) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat attributes {};
  if (!fd || ::fstat(fd.get(), &attributes) != 0) return errno_error(errno, "open " + path);
  const auto size = static_cast<std::uint64_t>(attributes.st_size);
  if (!S_ISREG(attributes.st_mode) || size > most_bytes) {
    return Error(ErrorKind::kCorrupt, path + " is not a file that was written here");
  }
  std::string content(memory_size(size), '\0');
  const ReadCount count = read_at(fd.get(), 0, std::as_writable_bytes(std::span(content)));
  if (count.error != 0) return errno_error(count.error, "read " + path);
  content.resize(count.bytes);
  return content;
}

Status remove_private_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(errno, "remove " + path);
  return {};
}

}  // namespace restree
