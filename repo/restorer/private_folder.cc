#include "repo/restorer/private_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "repo/restorer/target_place.h"
#include "repo/restorer/unexpected_entries.h"

namespace restree {

Result<PrivateFolder> PrivateFolder::make(const UniqueFd& around, const std::string& path,
                                          OwnEntries& own) {
  constexpr mode_t kPrivateMode = 0700;
  std::string name = unused_name();
  if (::mkdirat(around.get(), name.c_str(), kPrivateMode) != 0) {
    return errno_error(errno, "make a folder in " + path);
  }
  UniqueFd fd(::openat(around.get(), name.c_str(), kOpenFolder));
  struct stat attributes {};
  if (!fd || ::fstat(fd.get(), &attributes) != 0) {
    return errno_error(errno, "open " + path + "/" + name);
  }
  if (!own.are_private(around, attributes)) {
    return Error(ErrorKind::kLocalIo,
                 path + "/" + name + " was replaced by another folder as soon as it was made")
        .hinting("Others can write to " + path + ", and somebody does.");
  }
  return PrivateFolder(around, std::move(name), std::move(fd));
}

PrivateFolder::~PrivateFolder() {
  if (fd_) ::unlinkat(around_->get(), name_.c_str(), AT_REMOVEDIR);
}

}  // namespace restree
