#include "repo/storage/local_storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "repo/base/unique_fd.h"
#include "repo/storage/odd_files.h"
#include "repo/storage/whole_file.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

// The modes of new files and folders: if the group may read the config, restic gives the group the
// same access to everything else.
struct Permissions {
  mode_t directory;
  mode_t finished;
};
constexpr Permissions kOwnerOnly{0700, 0400};
constexpr Permissions kWithGroup{0770, 0440};

// A call costs little, so that what it reads may as well stay in the processor's cache.
constexpr std::uint64_t kRequestBytes = 1 << 20;

class LocalStorage final : public Storage {
 public:
  explicit LocalStorage(std::string root) : root_(std::move(root)) {}

  Status make_folders(Deadline by) override;
  Status reach(Deadline /*by*/) override { return {}; }
  Result<std::vector<ListedFile>> list(FileType type, Deadline by) override;
  Result<std::uint64_t> size(const FileName& file, Deadline by) override;
  Result<Bytes> read(const FileName& file, ByteRange range, Deadline by) override;
  Result<MutableByteView> read_into(Bytes& buffer, const FileName& file, ByteRange range,
                                    Deadline by) override;
  void expect(const FileName& file, ByteRange range) override;
  ReadHabit read_habit() const override { return {.request_bytes = kRequestBytes, .waits = false}; }
  Result<Bytes> read_all(const FileName& file, Deadline by) override;
  Status write(const FileName& file, ByteView content, Deadline by) override;
  // A copy by the kernel would be no faster than one by the caller, who has to read the bytes anyway.
  Status join(std::span<const FileRange>, ByteView, const NameJoined&, Deadline) override {
    return cannot_join(root_);
  }
  Status remove(const FileName& file, Deadline by) override;
  Result<std::size_t> remove_leftovers(const Leftovers& which, Deadline by) override;
  Result<std::optional<std::uint64_t>> free_bytes(Deadline by) override;
  std::string description() const override { return root_; }

 private:
  Status list_folder(const UniqueFd& root, FileType type, const std::string& folder,
                     std::set<std::string>& seen, std::vector<ListedFile>& into);
  Status make_missing_folder(const FileName& file, mode_t mode) const;
  Error explain_failed_write(Error error, std::size_t size);
  std::string path_of(const FileName& file) const { return root_ + "/" + relative_path(file); }
  Permissions permissions() const;

  const std::string root_;
  OddFiles odd_files_;
};

// The error of a call on one file. What only this file need be to blame for is kCorrupt.
Error file_error(int errno_value, std::string_view doing) {
  Error error = errno_error(errno_value, doing);
  switch (errno_value) {
    case EIO:      // a place on the disk that cannot be read
    case EUCLEAN:  // the same in the file system's own tables
    case EBADMSG:  // or a wrong checksum there
    case ELOOP:
    case EISDIR:
    case ENXIO:   // a socket
    case ENODEV:  // a device that nothing drives
      return {ErrorKind::kCorrupt, error.message()};
    default:
      return error;
  }
}

struct FileToRead {
  UniqueFd fd;
  std::uint64_t size_bytes;
};

// Never waits for the other end of a FIFO, and never reads one.
Result<FileToRead> open_for_reading(const std::string& path, FileType type) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat attributes {};
  if (!fd) {
    const int failure = errno;
    if (failure == ENOENT && type == FileType::kSnapshot &&
        ::lstat(path.c_str(), &attributes) == 0) {
      RETURN_IF_ERROR(expect_regular(path, attributes.st_mode));
    }
    return file_error(failure, "open " + path);
  }
  if (::fstat(fd.get(), &attributes) != 0) return file_error(errno, "stat " + path);
  RETURN_IF_ERROR(expect_regular(path, attributes.st_mode));
  return FileToRead{std::move(fd), static_cast<std::uint64_t>(attributes.st_size)};
}

// Fills `into` from `offset`; the file must reach that far.
Status read_exactly(const UniqueFd& fd, const std::string& path, std::uint64_t offset,
                    MutableByteView into) {
  const ReadCount read = read_at(fd.get(), offset, into);
  if (read.error != 0) return file_error(read.error, "read " + path);
  if (!read.is_all_of(into)) {
    return Error(ErrorKind::kCorrupt, fmt::format("{} ends at {}, before byte {}", path,
                                                  offset + read.bytes, offset + into.size()));
  }
  return {};
}

// Called before memory is taken for the range: a hostile index must not make us allocate more than
// the file holds.
Status expect_range(const FileToRead& file, const std::string& path, ByteRange range) {
  if (range.offset <= file.size_bytes && range.length <= file.size_bytes - range.offset) return {};
  return Error(ErrorKind::kCorrupt, fmt::format("{} ends at {}, before byte {}", path,
                                                file.size_bytes, range.offset + range.length));
}

// Adds the files of one folder below `root`. A missing folder is not an error.
Status LocalStorage::list_folder(const UniqueFd& root, FileType type, const std::string& folder,
                                 std::set<std::string>& seen, std::vector<ListedFile>& into) {
  const std::string path = root_ + "/" + folder;
  UniqueFd fd(::openat(root.get(), folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return errno_error(errno, "list " + path);
  }
  const DirectoryStream directory(::fdopendir(fd.get()));
  if (!directory) return errno_error(errno, "list " + path);
  static_cast<void>(fd.release());
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (!is_repository_name(entry->d_name) || !seen.insert(entry->d_name).second) continue;
    const std::string file = path + "/" + entry->d_name;
    struct stat attributes {};
    Status regular;
    if (::fstatat(::dirfd(directory.get()), entry->d_name, &attributes, 0) == 0) {
      regular = expect_regular(file, attributes.st_mode);
    } else {
      const int failure = errno;
      struct stat itself {};
      const bool is_link =
          ::fstatat(::dirfd(directory.get()), entry->d_name, &itself, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISLNK(itself.st_mode);
      if (failure == ENOENT && !is_link) continue;  // removed since
      regular = failure == ENOENT ? expect_regular(file, itself.st_mode)
                                  : file_error(failure, "stat " + file);
      if (regular.error().kind() != ErrorKind::kCorrupt) return regular;
    }
    if (regular) {
      into.push_back({entry->d_name, static_cast<std::uint64_t>(attributes.st_size),
                      std::int64_t{attributes.st_mtime}});
    } else if (type == FileType::kSnapshot) {
      into.push_back({entry->d_name, 0});
    } else {
      odd_files_.warn_once(file, regular.error());
    }
  }
  if (errno != 0) return errno_error(errno, "list " + path);
  return {};
}

Result<std::vector<ListedFile>> LocalStorage::list(FileType type, Deadline) {
  std::vector<ListedFile> listed;
  std::set<std::string> seen;
  // One descriptor for all folders, so that they are those of one disk, whatever is mounted
  // meanwhile.
  const UniqueFd root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) {
    if (errno == ENOENT || errno == ENOTDIR) return listed;
    return errno_error(errno, "list " + root_);
  }
  const std::string folder(directory_of(type));
  if (type != FileType::kPack) {
    RETURN_IF_ERROR(list_folder(root, type, folder, seen, listed));
    return listed;
  }
  for (int prefix = 0; prefix < 256; ++prefix) {
    RETURN_IF_ERROR(
        list_folder(root, type, fmt::format("{}/{:02x}", folder, prefix), seen, listed));
  }
  return listed;
}

Result<std::uint64_t> LocalStorage::size(const FileName& file, Deadline) {
  const std::string path = path_of(file);
  struct stat attributes {};
  if (::stat(path.c_str(), &attributes) != 0) return file_error(errno, "stat " + path);
  RETURN_IF_ERROR(expect_regular(path, attributes.st_mode));
  return static_cast<std::uint64_t>(attributes.st_size);
}

Result<Bytes> LocalStorage::read(const FileName& file, ByteRange range, Deadline by) {
  Bytes bytes;
  RETURN_IF_ERROR(read_into(bytes, file, range, by));
  return bytes;
}

Result<MutableByteView> LocalStorage::read_into(Bytes& buffer, const FileName& file,
                                                ByteRange range, Deadline) {
  const std::string path = path_of(file);
  ASSIGN_OR_RETURN(const FileToRead opened, open_for_reading(path, file.type));
  RETURN_IF_ERROR(expect_range(opened, path, range));
  if (buffer.size() < range.length) {
    buffer = Bytes();  // first, so that there are never two
    buffer = Bytes(range.length);
  }
  const MutableByteView bytes = buffer.view().first(memory_size(range.length));
  RETURN_IF_ERROR(read_exactly(opened.fd, path, range.offset, bytes));
  return bytes;
}

// Failures are ignored: the read that follows reports them.
void LocalStorage::expect(const FileName& file, ByteRange range) {
  const UniqueFd fd(::open(path_of(file).c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return;
  static_cast<void>(::posix_fadvise(fd.get(), static_cast<off_t>(range.offset),
                                    static_cast<off_t>(range.length), POSIX_FADV_WILLNEED));
}

Result<Bytes> LocalStorage::read_all(const FileName& file, Deadline) {
  const std::string path = path_of(file);
  ASSIGN_OR_RETURN(const FileToRead opened, open_for_reading(path, file.type));
  Status fits = expect_file_size(file, opened.size_bytes);
  if (!fits) return std::move(fits).error().with(root_);
  Bytes bytes(opened.size_bytes);
  RETURN_IF_ERROR(read_exactly(opened.fd, path, 0, bytes.view()));
  return bytes;
}

Permissions LocalStorage::permissions() const {
  struct stat config {};
  const bool group_reads =
      ::stat((root_ + "/config").c_str(), &config) == 0 && (config.st_mode & S_IRGRP) != 0;
  return group_reads ? kWithGroup : kOwnerOnly;
}

Status make_folder(const std::string& folder, mode_t mode) {
  if (::mkdir(folder.c_str(), mode) == 0 || errno == EEXIST) return {};
  return errno_error(errno, "create folder " + folder);
}

Status LocalStorage::make_folders(Deadline) {
  const mode_t mode = permissions().directory;
  for (auto slash = root_.find('/', 1); slash != std::string::npos;
       slash = root_.find('/', slash + 1)) {
    RETURN_IF_ERROR(make_folder(root_.substr(0, slash), mode));
  }
  RETURN_IF_ERROR(make_folder(root_, mode));
  for (const std::string& folder : repository_folders()) {
    RETURN_IF_ERROR(make_folder(root_ + "/" + folder, mode));
  }
  RETURN_IF_ERROR(sync_folder(root_ + "/data"));
  return sync_folder(root_);
}

Result<std::optional<std::uint64_t>> LocalStorage::free_bytes(Deadline) {
  struct statvfs room {};
  if (::statvfs(root_.c_str(), &room) != 0) return errno_error(errno, "look at " + root_);
  if (room.f_blocks == 0) return std::nullopt;  // a file system that knows of no limit
  return static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
}

Error LocalStorage::explain_failed_write(Error error, std::size_t size) {
  const auto room = free_bytes(Deadline::never());
  if (!room || room->value_or(UINT64_MAX) >= size) return error;
  return {ErrorKind::kLocalIo,
          fmt::format("{}: the disk is full: {} bytes free, {} needed", root_, **room, size)};
}

// Makes the folder of `file`. Through one descriptor of the root, so that the folder is made beside
// the config that was seen, even if another disk takes its place meanwhile.
Status LocalStorage::make_missing_folder(const FileName& file, mode_t mode) const {
  const UniqueFd root(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error(errno, "open " + root_);
  struct stat config {};
  if (::fstatat(root.get(), "config", &config, 0) != 0) {
    return errno_error(errno, fmt::format("make no folder for {}, as there is no repository: {}/{}",
                                          relative_path(file), root_, "config"));
  }
  const std::string path = relative_path(file);
  for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = path.substr(0, slash);
    if (::mkdirat(root.get(), folder.c_str(), mode) != 0 && errno != EEXIST) {
      return errno_error(errno, "create folder " + root_ + "/" + folder);
    }
  }
  return {};
}

Status LocalStorage::write(const FileName& file, ByteView content, Deadline) {
  const std::string path = path_of(file);
  const Permissions mode = permissions();

  Result<WholeFile> whole = WholeFile::create(path);
  if (!whole && whole.error().kind() == ErrorKind::kNotFound) {
    RETURN_IF_ERROR(make_missing_folder(file, mode.directory));
    whole = WholeFile::create(path);
  }
  RETURN_IF_ERROR(whole);
  Status written = std::move(*whole).publish(content, mode.finished);
  if (!written) return explain_failed_write(std::move(written).error(), content.size());
  Status synced = sync_folder(path.substr(0, path.rfind('/')));
  // A write that failed has written nothing: nobody would remove a lock, for one.
  if (!synced) ::unlink(path.c_str());
  return synced;
}

Status LocalStorage::remove(const FileName& file, Deadline) {
  const std::string path = path_of(file);
  if (::unlink(path.c_str()) == 0) return {};
  if (errno != EISDIR) return errno_error(errno, "remove " + path);
  if (::rmdir(path.c_str()) == 0) return {};
  if (errno == ENOTEMPTY || errno == EEXIST) return filled_folder(path);
  return errno_error(errno, "remove " + path);
}

// Removes those of one folder, which may be missing.
Result<std::size_t> remove_old_temporaries(const std::string& folder, std::time_t before) {
  const DirectoryStream directory(::opendir(folder.c_str()));
  if (!directory) {
    if (errno == ENOENT || errno == ENOTDIR) return 0;
    return errno_error(errno, "list " + folder);
  }
  std::size_t removed = 0;
  const int fd = ::dirfd(directory.get());
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    if (!is_temporary_name(entry->d_name)) continue;
    struct stat attributes {};
    if (::fstatat(fd, entry->d_name, &attributes, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(attributes.st_mode) || attributes.st_mtime >= before) continue;
    if (::unlinkat(fd, entry->d_name, 0) != 0) {
      if (errno == ENOENT) continue;
      return errno_error(errno, "remove " + folder + "/" + entry->d_name);
    }
    ++removed;
  }
  if (errno != 0) return errno_error(errno, "list " + folder);
  return removed;
}

Result<std::size_t> LocalStorage::remove_leftovers(const Leftovers& which, Deadline) {
  const std::time_t before = std::chrono::system_clock::to_time_t(which.before);
  ASSIGN_OR_RETURN(std::size_t removed, remove_old_temporaries(root_, before));
  for (const std::string& folder : which.folders()) {
    ASSIGN_OR_RETURN(const std::size_t here, remove_old_temporaries(root_ + "/" + folder, before));
    removed += here;
  }
  return removed;
}

}  // namespace

std::shared_ptr<Storage> make_local_storage(std::string root) {
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  return std::make_shared<LocalStorage>(std::move(root));
}

}  // namespace restree
