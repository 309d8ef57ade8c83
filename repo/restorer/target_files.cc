#include "repo/restorer/target_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "repo/restorer/unexpected_entries.h"

namespace restree {
namespace {

constexpr int kOpenToWrite = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
constexpr mode_t kNewFileMode = 0600;
// Only runs of whole blocks can become holes.
constexpr std::uint64_t kHoleBytes = 4096;

bool is_zero(ByteView bytes) {
  return bytes.empty() || (bytes[0] == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// False: errno says why.
bool write_all(int fd, std::uint64_t position, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(position));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    position += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool write_with_holes(int fd, std::uint64_t position, ByteView bytes) {
  std::size_t begin = 0;  // of what is to be written
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::uint64_t to_next_block = kHoleBytes - (position + at) % kHoleBytes;
    const std::size_t length = std::min<std::size_t>(to_next_block, bytes.size() - at);
    if (is_zero(bytes.subspan(at, length))) {
      if (!write_all(fd, position + begin, bytes.subspan(begin, at - begin))) return false;
      begin = at + length;
    }
    at += length;
  }
  return write_all(fd, position + begin, bytes.subspan(begin));
}

}  // namespace

std::string TargetFiles::path(const PlannedItem& item) const {
  return folders_.path(item.folder) + "/" + std::string(item.node->name);
}

Error TargetFiles::failed(const char* doing, const PlannedItem& item) const {
  const int failure = errno;
  if (failure == ENOSPC || failure == EDQUOT || failure == EROFS) target_is_full_ = true;
  return errno_error(failure, doing + path(item));
}

Status TargetFiles::open_once(FileTask& task) {
  std::call_once(task.opening_, [&] {
    Result<UniqueFd> fd = open_first(task);
    if (!fd) {
      task.opening_error_ = std::move(fd).error();
    } else if (task.missing <= 1 || open_count_ < kMostOpen) {
      ++open_count_;
      task.fd_ = std::move(*fd);
    }
  });
  if (task.opening_error_) return *task.opening_error_;
  return {};
}

// What stands where a file is to be goes; a folder only if it is empty or may be removed whole.
Status TargetFiles::clear_place(const UniqueFd& folder, const std::string& name,
                                const std::string& path) const {
  if (options_.remove_unexpected)
    return remove_entry(folder, name, path, false, [](const auto&) {});
  if (::unlinkat(folder.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno == EISDIR && ::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR) == 0) return {};
  return errno_error(errno, "remove what is in the place of " + path)
      .hinting("With --delete a folder goes with all that lies in it.");
}

Result<UniqueFd> TargetFiles::open_first(FileTask& task) const {
  const PlannedItem& item = task.item;
  const std::string name(item.node->name);
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_.open(item.folder));
  UniqueFd fd;
  if (task.existing) {
    fd = UniqueFd(::openat(folder->get(), name.c_str(), kOpenToWrite));
    if (!fd && errno == EACCES) {  // not root, and it is read-only
      ::fchmodat(folder->get(), name.c_str(), kNewFileMode, 0);
      fd = UniqueFd(::openat(folder->get(), name.c_str(), kOpenToWrite));
    }
    if (!fd) return failed("open ", item);
    if (!task.existing->size_matches &&
        ::ftruncate(fd.get(), static_cast<off_t>(item.node->size)) != 0) {
      return failed("set the size of ", item);
    }
    return fd;
  }
  const auto create = [&] {
    fd = UniqueFd(
        ::openat(folder->get(), name.c_str(), kOpenToWrite | O_CREAT | O_EXCL, kNewFileMode));
    return bool(fd);
  };
  if (!create()) {
    if (errno != EEXIST) return failed("make ", item);
    RETURN_IF_ERROR(clear_place(*folder, name, path(item)));
    if (!create()) return failed("make ", item);
  }
  if (options_.sparse) {
    if (::ftruncate(fd.get(), static_cast<off_t>(item.node->size)) != 0) {
      return failed("set the size of ", item);
    }
  } else if (item.node->content.size() > 1) {
    // In one piece on the disk, though its blobs come in any order; and a full disk is found out
    // now. Not every file system can do it, and none has to.
    if (::fallocate(fd.get(), 0, 0, static_cast<off_t>(item.node->size)) != 0 && errno == ENOSPC) {
      return failed("make room for ", item);
    }
  }
  return fd;
}

Result<UniqueFd> TargetFiles::open_again(const PlannedItem& item) const {
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_.open(item.folder));
  const std::string name(item.node->name);
  UniqueFd fd(::openat(folder->get(), name.c_str(), kOpenToWrite));
  if (!fd) return failed("open ", item);
  return fd;
}

Status TargetFiles::write(FileTask& task, std::uint64_t position, ByteView bytes) {
  RETURN_IF_ERROR(open_once(task));
  UniqueFd again;
  int fd = task.fd_.get();
  if (fd < 0) {
    ASSIGN_OR_RETURN(again, open_again(task.item));
    fd = again.get();
  }
  const bool holes = options_.sparse && !task.existing;
  if (!(holes ? write_with_holes : write_all)(fd, position, bytes)) {
    return failed("write ", task.item);
  }
  return {};
}

Status TargetFiles::finish(FileTask& task) {
  RETURN_IF_ERROR(open_once(task));
  UniqueFd again;
  if (!task.fd_) {
    ASSIGN_OR_RETURN(again, open_again(task.item));
  } else {
    --open_count_;
    std::swap(again, task.fd_);
  }
  Status status = metadata_.apply(again.get(), *task.item.node, {.times = !task.failed});
  if (!status) return std::move(status).error().with(path(task.item));
  return {};
}

Status TargetFiles::set_metadata(const PlannedItem& item) {
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_.open(item.folder));
  Status status = metadata_.apply_at(folder->get(), std::string(item.node->name), *item.node);
  if (!status) return std::move(status).error().with(path(item));
  return {};
}

}  // namespace restree
