#include "cache/cache_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include "repo/system/file_io.h"

namespace restree {
namespace {

constexpr std::string_view kTag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# What lies here are caches of restree. They can be deleted at any time.\n";

struct Part {
  const char* folder;
  CachedKind kind;
};
constexpr std::array<Part, 6> kParts{{{"data", CachedKind::kData},
                                      {"trees", CachedKind::kTree},
                                      {"index", CachedKind::kFile},
                                      {"snapshots", CachedKind::kFile},
                                      {"keys", CachedKind::kFile},
                                      {"pins", CachedKind::kFile}}};

std::int64_t modified(const struct stat& attributes) {
  return std::int64_t{attributes.st_mtim.tv_sec} * 1'000'000'000 + attributes.st_mtim.tv_nsec;
}

Status make_folders(const std::string& path) {
  for (auto slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return errno_error(errno, "create folder " + part);
    }
    if (slash == std::string::npos) return {};
  }
}

// Another user who may write there could not make us serve wrong bytes, since all are verified, but
// could make the cache grow without a limit, or lead us to files elsewhere.
Status check_private(int fd, const std::string& path) {
  struct stat attributes {};
  if (::fstat(fd, &attributes) != 0) return errno_error(errno, "stat " + path);
  if (attributes.st_uid != ::geteuid()) {
    return Error(ErrorKind::kDenied,
                 fmt::format("{} belongs to user {}, not to you", path, attributes.st_uid));
  }
  if ((attributes.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error(ErrorKind::kDenied, fmt::format("{} can be written to by others", path));
  }
  return {};
}

// The folder that the user named, in which the folder of caches lies. Its owner could put anything
// in the place of that one.
Status check_owner_above(const std::string& above) {
  struct stat attributes {};
  if (::stat(above.c_str(), &attributes) != 0) return errno_error(errno, "stat " + above);
  if (attributes.st_uid == ::geteuid() || attributes.st_uid == 0) return {};
  return Error(ErrorKind::kDenied,
               fmt::format("{} belongs to user {}, not to you", above, attributes.st_uid));
}

// A link in place of the folder of caches is the user's wish only if the user (or root) made it.
Status check_link(const std::string& base) {
  struct stat attributes {};
  if (::lstat(base.c_str(), &attributes) != 0) return errno_error(errno, "stat " + base);
  if (!S_ISLNK(attributes.st_mode)) return {};
  if (attributes.st_uid == ::geteuid() || attributes.st_uid == 0) return {};
  return Error(ErrorKind::kDenied, fmt::format("{} is a link that belongs to user {}, not to you",
                                               base, attributes.st_uid));
}

Result<UniqueFd> open_folder(int at, const std::string& path, int flags = 0) {
  UniqueFd fd(::openat(at, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags));
  if (!fd) return errno_error(errno, "open folder " + path);
  return fd;
}

// Calls `use(folder's descriptor, name)` for each entry. A folder that is not there has none.
template <class Use>
void for_each_entry(int at, const char* folder, Use use) {
  auto fd = open_folder(at, folder, O_NOFOLLOW);
  if (!fd) return;
  const DirectoryStream directory(::fdopendir(fd->get()));
  if (directory == nullptr) return;
  const int inside = fd->release();
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") use(inside, entry->d_name);
  }
}

bool is_name_of_ours(std::string_view name) {
  const bool is_id = name.size() == 64 && name.find_first_not_of("0123456789abcdef") == name.npos;
  return is_id || name == "locations";
}

// The tag makes backup programs leave a folder out with all that lies in it, so that it is written
// only where nothing but caches lies: a folder of data must not be lost to backups because somebody
// has put it, or a link to it, in the place of the caches.
void write_tag(int base) {
  bool is_ours = true;
  for_each_entry(base, ".", [&](int, const char* name) { is_ours &= is_name_of_ours(name); });
  if (!is_ours) return;
  const UniqueFd tag(
      ::openat(base, "CACHEDIR.TAG", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  // Only backup programs that exclude caches need the tag, so a failed write does not matter.
  if (tag) static_cast<void>(::write(tag.get(), kTag.data(), kTag.size()) > 0);
}

}  // namespace

std::uint64_t bytes_on_disk(const struct stat& attributes) {
  constexpr std::uint64_t kStatBlockBytes = 512;
  return static_cast<std::uint64_t>(attributes.st_blocks) * kStatBlockBytes;
}

std::string cache_path(const SealedPlace& place) {
  return (place.type == BlobType::kTree ? "trees/" : "data/") + place.pack.hex();
}

std::string cache_path(const FileName& file) { return relative_path(file); }

Result<CacheFolder> CacheFolder::open(const std::string& base, const std::string& name) {
  // Checked before anything is made in it.
  const std::string above = base.substr(0, std::max<std::size_t>(1, base.rfind('/')));
  RETURN_IF_ERROR(make_folders(above));
  RETURN_IF_ERROR(check_owner_above(above));
  RETURN_IF_ERROR(make_folders(base));
  // Symbolic links in the path to the base folder are followed: users set them on purpose.
  RETURN_IF_ERROR(check_link(base));
  ASSIGN_OR_RETURN(const UniqueFd outer, open_folder(AT_FDCWD, base));
  RETURN_IF_ERROR(check_private(outer.get(), base));
  write_tag(outer.get());
  std::string path = base + "/" + name;
  if (::mkdirat(outer.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error(errno, "create folder " + path);
  }
  UniqueFd fd(::openat(outer.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return errno_error(errno, "open folder " + path);
  RETURN_IF_ERROR(check_private(fd.get(), path));
  CacheFolder folder(std::move(path), std::move(fd));
  folder.touch();
  return folder;
}

Result<CacheFolder> CacheFolder::look_at(const std::string& path) {
  ASSIGN_OR_RETURN(UniqueFd fd, open_folder(AT_FDCWD, path, O_NOFOLLOW));
  return CacheFolder(path, std::move(fd));
}

bool CacheFolder::is_deleted() const {
  struct stat attributes {};
  return ::fstat(fd_.get(), &attributes) == 0 && attributes.st_nlink == 0;
}

Status CacheFolder::reopen() const {
  const std::size_t slash = path_.rfind('/');
  ASSIGN_OR_RETURN(const CacheFolder made, open(path_.substr(0, slash), path_.substr(slash + 1)));
  // Under the old descriptor's number, which other threads may just be passing to the kernel.
  while (::dup3(made.fd(), fd_.get(), O_CLOEXEC) < 0) {
    if (errno != EINTR && errno != EBUSY) return errno_error(errno, "open folder " + path_);
  }
  return {};
}

Result<UniqueFd> CacheFolder::open_to_read(const std::string& path) const {
  UniqueFd fd(::openat(fd_.get(), path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) return errno_error(errno, "open " + path_ + "/" + path);
  return fd;
}

Result<UniqueFd> CacheFolder::open_to_write(const std::string& path, bool empty) const {
  const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (empty ? O_TRUNC : 0);
  UniqueFd fd(::openat(fd_.get(), path.c_str(), flags, 0600));
  const std::size_t slash = path.find('/');
  if (!fd && errno == ENOENT && slash != std::string::npos) {
    const std::string folder = path.substr(0, slash);
    if (::mkdirat(fd_.get(), folder.c_str(), 0700) == 0 || errno == EEXIST) {
      fd = UniqueFd(::openat(fd_.get(), path.c_str(), flags, 0600));
    }
  }
  if (!fd) return errno_error(errno, "open " + path_ + "/" + path);
  return fd;
}

std::uint64_t CacheFolder::remove(const std::string& path) const {
  struct stat attributes {};
  if (::fstatat(fd_.get(), path.c_str(), &attributes, AT_SYMLINK_NOFOLLOW) != 0) return 0;
  return ::unlinkat(fd_.get(), path.c_str(), 0) == 0 ? bytes_on_disk(attributes) : 0;
}

std::vector<std::string> CacheFolder::names_in(const char* folder) const {
  std::vector<std::string> names;
  for_each_entry(fd_.get(), folder, [&](int, const char* name) { names.emplace_back(name); });
  return names;
}

std::vector<CachedFile> CacheFolder::scan() const {
  std::vector<CachedFile> files;
  const auto add = [&](int at, const char* name, CachedKind kind, const std::string& path) {
    struct stat attributes {};
    if (::fstatat(at, name, &attributes, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (S_ISDIR(attributes.st_mode)) return;
    files.push_back({kind, path, bytes_on_disk(attributes), modified(attributes)});
  };
  for (const Part& part : kParts) {
    const std::string prefix = std::string(part.folder) + "/";
    for_each_entry(fd_.get(), part.folder,
                   [&](int at, const char* name) { add(at, name, part.kind, prefix + name); });
  }
  for_each_entry(fd_.get(), ".",
                 [&](int at, const char* name) { add(at, name, CachedKind::kFile, name); });
  return files;
}

}  // namespace restree
