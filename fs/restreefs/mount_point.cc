#include "fs/restreefs/mount_point.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "fs/fuse/fuse_session.h"
#include "repo/base/log.h"
#include "repo/system/mounts.h"

namespace restree {
namespace {

bool is_below(const std::filesystem::path& inner, const std::filesystem::path& outer) {
  const auto [at_inner, at_outer] =
      std::mismatch(inner.begin(), inner.end(), outer.begin(), outer.end());
  return at_outer == outer.end();
}

Status clear_dead_mount(const std::string& path) {
  // Not stat(2): the kernel may still know the attributes of a mount that is dead.
  struct statvfs figures {};
  if (::statvfs(path.c_str(), &figures) == 0 || errno != ENOTCONN) return {};
  log::warning("{}: unmounting what is left of a mount whose program has died", path);
  Status status = unmount(path, true);
  if (!status) {
    return std::move(status).error().hinting("Unmount it by hand: fusermount3 -uz " + path);
  }
  return {};
}

// std::filesystem::is_directory() fails on 32-bit processors for a directory that was changed after
// 2038: the C++ library has seconds of 32 bits there.
bool is_folder(const std::filesystem::path& path) {
  struct stat attributes {};
  return ::stat(path.c_str(), &attributes) == 0 && S_ISDIR(attributes.st_mode);
}

}  // namespace

Result<std::string> prepare_mount_point(const std::string& path,
                                        const std::vector<NeededFolder>& needed) {
  namespace files = std::filesystem;
  RETURN_IF_ERROR(clear_dead_mount(path));
  std::error_code failure;
  const files::path point = files::canonical(path, failure);
  if (failure) {
    return Error(ErrorKind::kInvalid, "mount point " + path + ": " + failure.message())
        .hinting("Make the directory first: mkdir -p " + path);
  }
  if (const auto mount = mount_on(point.string()); mount && mount->type == "fuse.restreefs") {
    return Error(ErrorKind::kInvalid,
                 mount->source + " is already mounted on " + path + " by another restreefs")
        .hinting("Unmount it first if you want another one there: umount " + path +
                 ", or fusermount3 -u " + path);
  }
  if (!is_folder(point)) {
    return Error(ErrorKind::kInvalid, "mount point " + path + " is not a directory");
  }
  for (const NeededFolder& folder : needed) {
    const files::path there = files::weakly_canonical(folder.path, failure);
    if (!failure && (is_below(point, there) || is_below(there, point))) {
      return Error(ErrorKind::kInvalid, "mount point " + path + " and " + folder.what + " " +
                                            folder.path + " must not contain each other")
          .hinting("Choose another mount point.");
    }
  }
  const bool empty = files::directory_iterator(point, failure) == files::directory_iterator();
  if (failure) {
    return Error(ErrorKind::kInvalid, "mount point " + path + ": " + failure.message());
  }
  if (!empty) {
    return Error(ErrorKind::kInvalid, "mount point " + path + " is not empty")
        .hinting("Mounting there would hide what it holds. Choose an empty directory.");
  }
  return point.string();
}

}  // namespace restree
