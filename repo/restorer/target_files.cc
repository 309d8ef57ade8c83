#include "repo/restorer/target_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "repo/restorer/target_place.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

constexpr int kOpenToWrite = O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
constexpr int kOpenToRead = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
constexpr mode_t kNewFileMode = 0600;
// Only runs of whole blocks can become holes.
constexpr std::uint64_t kHoleBytes = 4096;

bool is_zero(ByteView bytes) {
  return bytes.empty() || (bytes[0] == std::byte{0} &&
                           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Returns 0 or an errno value, as write_at() does.
int write_with_holes(int fd, std::uint64_t position, ByteView bytes) {
  std::size_t begin = 0;  // of what is to be written
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t to_next_block = memory_size(kHoleBytes - (position + at) % kHoleBytes);
    const std::size_t length = std::min(to_next_block, bytes.size() - at);
    if (is_zero(bytes.subspan(at, length))) {
      const ByteView data = bytes.subspan(begin, at - begin);
      if (const int error = write_at(fd, position + begin, data); error != 0) return error;
      begin = at + length;
    }
    at += length;
  }
  return write_at(fd, position + begin, bytes.subspan(begin));
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

void FileTask::fail(const Error& error) {
  if (!failed_.exchange(true)) reason_ = std::make_unique<const Error>(error);
}

Status TargetFiles::open_once(FileTask& task) {
  std::call_once(task.opening_, [&] {
    Result<UniqueFd> fd = open_first(task);
    if (!fd) {
      task.opening_error_ = std::make_unique<const Error>(std::move(fd).error());
    } else if (task.missing <= 1 || open_count_ < kMostOpen) {
      ++open_count_;
      task.fd_ = std::move(*fd);
    }
  });
  if (task.opening_error_ != nullptr) return *task.opening_error_;
  return {};
}

Result<UniqueFd> TargetFiles::open_first(FileTask& task) const {
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_.open(task.item.folder));
  Result<UniqueFd> fd =
      task.existing ? open_to_write(task, *folder, task.existing->identity) : create(task, *folder);
  if (!fd) return fd;
  struct stat attributes {};
  if (::fstat(fd->get(), &attributes) != 0) return failed("look at ", task.item);
  task.identity_ = EntryIdentity::of(attributes);
  task.begun_ = true;
  return fd;
}

// Opens the file of a task by its name, and makes sure that it is the one.
Result<UniqueFd> TargetFiles::open_to_write(const FileTask& task, const UniqueFd& folder,
                                            const EntryIdentity& expected) const {
  const std::string name = task.beside_ ? *task.beside_ : std::string(task.item.node->name);
  struct stat attributes {};
  const auto is_expected = [&](const UniqueFd& fd) {
    return ::fstat(fd.get(), &attributes) == 0 && S_ISREG(attributes.st_mode) &&
           is_same_entry(fd.get(), attributes, expected) && attributes.st_nlink == 1;
  };
  UniqueFd fd(::openat(folder.get(), name.c_str(), kOpenToWrite));
  if (!fd && errno == EACCES) {  // not root, and it is read-only
    const UniqueFd closed(::openat(folder.get(), name.c_str(), kOpenToRead));
    if (closed && is_expected(closed)) ::fchmod(closed.get(), kNewFileMode);
    fd = UniqueFd(::openat(folder.get(), name.c_str(), kOpenToWrite));
  }
  if (!fd) return failed("open ", task.item);
  if (!is_expected(fd)) {
    return Error(ErrorKind::kLocalIo,
                 path(task.item) + " is another file than a moment ago, and was not written to")
        .hinting("Somebody has replaced or linked it while the restore ran.");
  }
  return fd;
}

Result<UniqueFd> TargetFiles::create(FileTask& task, const UniqueFd& folder) const {
  const PlannedItem& item = task.item;
  std::string name(item.node->name);
  UniqueFd fd;
  const auto make = [&] {
    fd = UniqueFd(
        ::openat(folder.get(), name.c_str(), kOpenToWrite | O_CREAT | O_EXCL, kNewFileMode));
    return bool(fd);
  };
  if (!make()) {
    if (errno != EEXIST) return failed("make ", item);
    if (!task.replaces) {
      RETURN_IF_ERROR(folders_.shared_names().check_new(item.folder, folder, name));
    }
    RETURN_IF_ERROR(check_place(folder, name, path(item), options_.remove_unexpected));
    name = unused_name();
    if (!make()) return failed("make ", item);
    task.replaces = true;
    task.beside_ = std::make_unique<const std::string>(name);
  }
  if (Status status = make_room(fd.get(), item); !status) {
    ::unlinkat(folder.get(), name.c_str(), 0);
    return std::move(status).error();
  }
  return fd;
}

Status TargetFiles::make_room(int fd, const PlannedItem& item) const {
  const auto size = static_cast<off_t>(item.node->size);
  if (options_.sparse) {
    if (::ftruncate(fd, size) != 0) return failed("set the size of ", item);
  } else if (item.node->content.size() > 1) {
    // The file then lies in one piece on the disk, though its blobs come in any order, and a full
    // disk is found out now. A file system that cannot do this is no error.
    if (::fallocate(fd, 0, 0, size) != 0 && errno == ENOSPC) return failed("make room for ", item);
  }
  return {};
}

Result<UniqueFd> TargetFiles::open_again(const FileTask& task) const {
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_.open(task.item.folder));
  return open_to_write(task, *folder, task.identity_);
}

Status TargetFiles::write(FileTask& task, std::uint64_t position, ByteView bytes) {
  RETURN_IF_ERROR(open_once(task));
  UniqueFd again;
  int fd = task.fd_.get();
  if (fd < 0) {
    ASSIGN_OR_RETURN(again, open_again(task));
    fd = again.get();
  }
  const bool holes = options_.sparse && !task.existing;
  // failed() takes the reason from errno.
  errno = (holes ? write_with_holes : write_at)(fd, position, bytes);
  if (errno != 0) return failed("write ", task.item);
  task.has_content_ = true;
  return {};
}

// The size is set last: until then nothing is cut off that might have to stay.
Status TargetFiles::complete(FileTask& task) {
  RETURN_IF_ERROR(open_once(task));
  if (task.beside_) return replace(task);
  if (!task.existing || task.existing->size_matches) return {};
  UniqueFd again;
  if (!task.fd_) {
    ASSIGN_OR_RETURN(again, open_again(task));
  }
  const int fd = task.fd_ ? task.fd_.get() : again.get();
  if (::ftruncate(fd, static_cast<off_t>(task.item.node->size)) != 0) {
    return failed("set the size of ", task.item);
  }
  return {};
}

Status TargetFiles::replace(FileTask& task) const {
  ASSIGN_OR_RETURN(const TargetFolders::Handle folder, folders_.open(task.item.folder));
  RETURN_IF_ERROR(take_place(*folder, *task.beside_, *folder, std::string(task.item.node->name),
                             path(task.item), options_.remove_unexpected));
  task.beside_ = nullptr;
  return {};
}

Result<UniqueFd> TargetFiles::take_descriptor(FileTask& task) {
  if (!task.fd_) return open_again(task);
  --open_count_;
  return std::exchange(task.fd_, UniqueFd());
}

Status TargetFiles::finish(FileTask& task) {
  ASSIGN_OR_RETURN(const UniqueFd fd, take_descriptor(task));
  Status status = metadata_.apply(fd.get(), *task.item.node, {});
  struct stat attributes {};
  if (task.item.node->links > 1 && ::fstat(fd.get(), &attributes) == 0) {
    task.identity_ = EntryIdentity::of(attributes);
  }
  if (!status) return std::move(status).error().with(path(task.item));
  return {};
}

TargetFiles::Left TargetFiles::give_up(FileTask& task, Incomplete incomplete) {
  if (!task.is_begun()) return task.replaces ? Left::kAsItWas : Left::kNothing;
  const Result<UniqueFd> fd = take_descriptor(task);
  const bool is_unwanted = !task.has_content_ || incomplete == Incomplete::kLeaveOut;
  if (!task.existing && (task.beside_ || is_unwanted)) {
    const Result<TargetFolders::Handle> folder = folders_.open(task.item.folder);
    const std::string name = task.beside_ ? *task.beside_ : std::string(task.item.node->name);
    const bool is_removed = folder && ::unlinkat((*folder)->get(), name.c_str(), 0) == 0;
    if (task.beside_) return Left::kAsItWas;
    if (is_removed) return Left::kNothing;
  }
  if (fd) {
    // The file is reported as failed anyway, so that errors here add nothing.
    if (incomplete == Incomplete::kFillWithZeros && !task.existing) {
      [[maybe_unused]] const int cut =
          ::ftruncate(fd->get(), static_cast<off_t>(task.item.node->size));
    }
    static_cast<void>(metadata_.apply(fd->get(), *task.item.node, {.times = false}));
    const Timestamp& mtime = task.item.node->mtime;
    const timespec before{
        .tv_sec = static_cast<time_t>(std::min<std::int64_t>(0, mtime.seconds - 1)), .tv_nsec = 0};
    const std::array<timespec, 2> times = {before, before};
    ::futimens(fd->get(), times.data());
  }
  return task.existing ? Left::kPartlyOverwritten : Left::kIncomplete;
}

// Its owner may hold it open for writing, or read in it what the snapshot gives to another.
bool TargetFiles::is_of_another(const ExistingFile& existing, const PlannedItem& item) {
  const uid_t owner = existing.identity.owner;
  if (!is_root_ || owner == metadata_.owner(*item.node)) return false;
  const Result<TargetFolders::Handle> folder = folders_.open(item.folder);
  return !folder || !folders_.own_entries().are_of(**folder, owner);
}

// By its other names an existing file may be one that lies elsewhere, and root would hand it to the
// owner that the snapshot names. A file that runs with its owner's rights must not be one that
// another user still holds open for writing.
bool TargetFiles::may_keep(const ExistingFile& existing, const PlannedItem& item) {
  if (!is_root_) return true;
  constexpr std::uint16_t kRunsAsOwner = 06000;
  const bool runs_as_owner = (item.node->permissions & kRunsAsOwner) != 0 ||
                             std::ranges::any_of(item.node->xattrs, [](const auto& xattr) {
                               return xattr.name == "security.capability";
                             });
  if (runs_as_owner && is_of_another(existing, item)) return false;
  return !existing.is_linked || metadata_.has_access_of(existing.fd.get(), *item.node);
}

// Other names must keep their content.
bool TargetFiles::may_write_into(const ExistingFile& existing, const PlannedItem& item) {
  return !existing.is_linked && !is_of_another(existing, item);
}

Status TargetFiles::set_metadata(const ExistingFile& existing, const PlannedItem& item) {
  Status status = metadata_.apply(existing.fd.get(), *item.node, {});
  if (!status) return std::move(status).error().with(path(item));
  return {};
}

}  // namespace restree
