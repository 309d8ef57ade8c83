#include "cache/cache_usage.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <thread>
#include <utility>

namespace restree {
namespace {

constexpr const char* kFileName = "usage";
constexpr std::chrono::milliseconds kBetweenTries{1};  // F_OFD_SETLKW takes no deadline
// The two locked bytes lie beyond the record.
constexpr off_t kTurnByte = 1000;
constexpr off_t kNextByte = 1001;

// Magic, bytes, hits, misses, checksum.
using Record = std::array<std::uint64_t, 5>;
constexpr std::uint64_t kMagic = 0x3165'6761'7375'7272;  // "rrusage1"

Record record_of(const CacheCounts& counts) {
  return {kMagic, counts.bytes, counts.hits, counts.misses,
          ~(counts.bytes ^ counts.hits ^ counts.misses)};
}

std::optional<CacheCounts> read_counts(int fd) {
  Record record{};
  if (::pread(fd, record.data(), sizeof record, 0) != ssize_t{sizeof record}) return std::nullopt;
  const CacheCounts counts{.bytes = record[1], .hits = record[2], .misses = record[3]};
  if (record != record_of(counts)) return std::nullopt;
  return counts;
}

}  // namespace

Result<CacheUsage::Turn> CacheUsage::take_turn(Deadline by) {
  for (;;) {
    if (folder_.is_deleted()) {
      return Error(ErrorKind::kNotFound, folder_.path() + " was deleted");
    }
    if (!fd_) RETURN_IF_ERROR(open());
    if (!is_next_) {
      ASSIGN_OR_RETURN(is_next_, lock(kNextByte));
    }
    bool is_ours = false;
    if (is_next_) {
      const Result<bool> locked = lock(kTurnByte);
      if (!locked) {  // or no other process would get a turn
        unlock(kNextByte);
        is_next_ = false;
        return locked.error();
      }
      is_ours = *locked;
    }
    if (is_ours) {
      unlock(kNextByte);
      is_next_ = false;
      if (is_current()) return Turn(*this);
      fd_.reset();  // the file was removed; another process may have made a new one
      continue;
    }
    if (by.expired()) {
      if (std::exchange(is_next_, false)) unlock(kNextByte);
      return Error(ErrorKind::kUnavailable, folder_.path() + ": another process is changing it");
    }
    std::this_thread::sleep_for(kBetweenTries);
  }
}

Status CacheUsage::open() {
  ASSIGN_OR_RETURN(fd_, folder_.open_to_write(kFileName, false));
  return {};
}

Result<bool> CacheUsage::lock(off_t byte) const {
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  if (::fcntl(fd_.get(), F_OFD_SETLK, &range) == 0) return true;
  if (errno == EAGAIN || errno == EACCES || errno == EINTR) return false;
  return errno_error(errno, "lock " + folder_.path() + "/" + kFileName);
}

void CacheUsage::unlock(off_t byte) const {
  struct flock range {};
  range.l_type = F_UNLCK;
  range.l_whence = SEEK_SET;
  range.l_start = byte;
  range.l_len = 1;
  ::fcntl(fd_.get(), F_OFD_SETLK, &range);
}

bool CacheUsage::is_current() const {
  struct stat ours {};
  struct stat named {};
  return ::fstat(fd_.get(), &ours) == 0 &&
         ::fstatat(folder_.fd(), kFileName, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

CacheUsage::Turn::~Turn() {
  if (usage_ != nullptr) usage_->unlock(kTurnByte);
}

std::optional<CacheCounts> CacheUsage::Turn::counts() const {
  return read_counts(usage_->fd_.get());
}

std::optional<CacheCounts> CacheUsage::look_at(const CacheFolder& folder) {
  const auto fd = folder.open_to_read(kFileName);
  return fd ? read_counts(fd->get()) : std::nullopt;
}

Status CacheUsage::Turn::set(const CacheCounts& counts) {
  const Record record = record_of(counts);
  const ssize_t count = ::pwrite(usage_->fd_.get(), record.data(), sizeof record, 0);
  if (count != ssize_t{sizeof record}) {
    return errno_error(count < 0 ? errno : EIO,
                       "write " + usage_->folder_.path() + "/" + kFileName);
  }
  return {};
}

}  // namespace restree
