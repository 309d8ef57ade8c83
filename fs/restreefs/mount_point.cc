#include "fs/restreefs/mount_point.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "fs/fuse/fuse_session.h"
#include "repo/base/log.h"

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

// A field of /proc/self/mountinfo, in which spaces and some other bytes are written in octal.
std::string mount_field(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    unsigned byte = 0;
    const char* const digits = field.data() + i + 1;
    const bool is_escape = field[i] == '\\' && i + 3 < field.size() &&
                           std::from_chars(digits, digits + 3, byte, 8).ptr == digits + 3;
    text += is_escape ? static_cast<char>(byte) : field[i];
    if (is_escape) i += 3;
  }
  return text;
}

// The source of the mount of restreefs on `point`, if one is the uppermost there.
std::optional<std::string> mounted_already(const std::string& point) {
  constexpr std::size_t kMountPoint = 4;  // fields of a line, the first being 0
  std::optional<std::string> source;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string field;
    for (std::size_t i = 0; i <= kMountPoint; ++i) fields >> field;
    if (mount_field(field) != point) continue;
    while (fields >> field && field != "-") continue;
    std::string type;
    std::string from;
    fields >> type >> from;
    source.reset();
    if (type == "fuse.restreefs") source = mount_field(from);
  }
  return source;
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
  if (const auto source = mounted_already(point.string())) {
    return Error(ErrorKind::kInvalid,
                 *source + " is already mounted on " + path + " by another restreefs")
        .hinting("Unmount it first if you want another one there: umount " + path +
                 ", or fusermount3 -u " + path);
  }
  if (!files::is_directory(point, failure)) {
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
  const bool empty = files::is_empty(point, failure);
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
