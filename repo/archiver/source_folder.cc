#include "repo/archiver/source_folder.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "repo/system/file_io.h"

namespace restree {
Result<UniqueFd> open_source_folder(const SourcePlace& place, const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(place.folder_fd, place.name.c_str(), kFlags | O_NOATIME));
  // O_NOATIME is allowed only for the folder's owner.
  if (!fd && errno == EPERM) {
    fd = UniqueFd(::openat(place.folder_fd, place.name.c_str(), kFlags));
  }
  if (!fd) return errno_error(errno, "open " + path);
  return fd;
}

Result<std::vector<std::string>> names_in_folder(const UniqueFd& folder, const std::string& path) {
  UniqueFd copy(::fcntl(folder.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return errno_error(errno, "read " + path);
  const DirectoryStream directory(::fdopendir(copy.get()));
  if (!directory) return errno_error(errno, "read " + path);
  copy.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return errno_error(errno, "read " + path);
  std::sort(names.begin(), names.end());  // std::string compares as unsigned char
  return names;
}

}  // namespace restree
