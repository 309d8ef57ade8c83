#include "repo/journal/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include "repo/crypto/seal.h"
#include "repo/journal/comparison.h"
#include "repo/storage/private_file.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

constexpr std::string_view kHead = "restree journal 1\n";
constexpr std::size_t kNumberBytes = 4;
constexpr std::chrono::milliseconds kBetweenLooks{10};
constexpr std::chrono::seconds kPatienceForNewFile{1};
// Smaller files are left as they are.
constexpr std::uint64_t kLargeBytes = std::uint64_t{4} << 20;

Error damaged(const std::string& path) {
  return Error(ErrorKind::kCorrupt, path + " is damaged")
      .hinting("Move it away: the next visit begins a new one, and compares with nothing.");
}

std::string u32le(std::size_t value) {
  std::string text(4, '\0');
  store_u32le(static_cast<std::uint32_t>(value), std::as_writable_bytes(std::span(text)).data());
  return text;
}

// A file of another process, which makes it as well, is not replaced: it may have an entry already.
Status make_file(const std::string& path) {
  static std::atomic<unsigned> count = 0;
  const std::string temporary =
      path + ".new." + std::to_string(::getpid()) + "." + std::to_string(++count);
  RETURN_IF_ERROR(write_private_file(temporary, as_bytes(kHead)));
  int error = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  if (error == EPERM || error == EOPNOTSUPP || error == ENOSYS) {  // a file system without links
    error = ::rename(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
  }
  ::unlink(temporary.c_str());
  if (error != 0 && error != EEXIST) return errno_error(error, "make " + path);
  return {};
}

Result<UniqueFd> open_file(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT) {
    RETURN_IF_ERROR(make_file(path));
    fd = UniqueFd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  }
  if (!fd) return errno_error(errno, "open " + path);
  return fd;
}

Status take_lock(int fd, const std::string& path, Deadline by) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return errno_error(errno, "lock " + path);
    if (by.expired()) {
      return Error(ErrorKind::kUnavailable, path + " is in use by another process");
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return {};
}

// Whether the file still has that name: another process may have condensed it.
bool is_still_there(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

FileStamp stamp_from(const struct stat& attributes) {
  constexpr std::int64_t kNsInSecond = 1'000'000'000;
  return {.inode = attributes.st_ino,
          .size = static_cast<std::uint64_t>(attributes.st_size),
          .changed_ns = static_cast<std::int64_t>(attributes.st_mtim.tv_sec) * kNsInSecond +
                        attributes.st_mtim.tv_nsec};
}

}  // namespace

FileStamp stamp_of(const std::string& path) {
  struct stat attributes {};
  return ::lstat(path.c_str(), &attributes) == 0 ? stamp_from(attributes) : FileStamp();
}

Result<JournalFile> JournalFile::open(const std::string& path, const Repository& repository,
                                      Deadline by) {
  for (;;) {
    ASSIGN_OR_RETURN(UniqueFd fd, open_file(path));
    RETURN_IF_ERROR(take_lock(fd.get(), path, by));
    if (!is_still_there(fd.get(), path)) {
      if (!by.expired()) continue;
      return Error(ErrorKind::kUnavailable, path + " is replaced again and again");
    }
    JournalFile file(path, repository, std::move(fd));
    RETURN_IF_ERROR(file.read());
    return file;
  }
}

Status JournalFile::read() {
  struct stat attributes {};
  if (::fstat(fd_.get(), &attributes) != 0) return errno_error(errno, "look at " + path_);
  stamp_before_ = stamp_from(attributes);
  const std::uint64_t size = stamp_before_.size;
  if (!S_ISREG(attributes.st_mode) || size > kMostJournalBytes) return damaged(path_);
  Bytes content(size);
  const ReadCount count = read_at(fd_.get(), 0, content.view());
  if (count.error != 0) return errno_error(count.error, "read " + path_);
  content.remove_suffix(content.size() - count.bytes);
  if (!as_text(content).starts_with(kHead)) return damaged(path_);
  end_ = kHead.size();
  while (end_ < content.size()) {
    const ByteView rest = content.view().subspan(static_cast<std::size_t>(end_));
    bytes_left_out_ = rest.size();
    if (rest.size() < kNumberBytes) return {};
    const std::size_t length = load_u32le(rest.data());
    if (length > rest.size() - kNumberBytes) return {};
    if (length < kSealOverheadBytes + kNumberBytes) return damaged(path_);
    const bool is_last = length == rest.size() - kNumberBytes;
    Bytes plain(length - kSealOverheadBytes);
    const Status opened = repository_->open_into(rest.subspan(kNumberBytes, length), plain.view());
    if (!opened && is_last) return {};
    if (!opened || load_u32le(plain.data()) != entries_.size()) return damaged(path_);
    Result<JournalEntry> entry = parse_journal_entry(plain.view().subspan(kNumberBytes));
    if (!entry) return std::move(entry).error().with(path_);
    entries_.push_back(std::move(*entry));
    end_ += kNumberBytes + length;
    bytes_left_out_ = 0;
  }
  return {};
}

Result<std::string> JournalFile::record_of(const JournalEntry& entry, std::size_t number) const {
  const std::string plain = u32le(number) + write_journal_entry(entry);
  const std::size_t length = plain.size() + kSealOverheadBytes;
  if (length > kMostJournalBytes) {
    return Error(ErrorKind::kInvalid, "the repository has too many files for a journal");
  }
  std::string record = u32le(length);
  record.resize(kNumberBytes + length);
  RETURN_IF_ERROR(repository_->seal_into(
      as_bytes(plain), std::as_writable_bytes(std::span(record)).subspan(kNumberBytes)));
  return record;
}

Status JournalFile::append(const JournalEntry& entry) {
  ASSIGN_OR_RETURN(const std::string record, record_of(entry, entries_.size()));
  if (bytes_left_out_ > 0 && ::ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0) {
    return errno_error(errno, "cut " + path_);
  }
  if (const int error = write_at(fd_.get(), end_, as_bytes(record)); error != 0) {
    return errno_error(error, "write " + path_);
  }
  entries_.push_back(entry);
  const std::uint64_t before = end_;
  end_ += record.size();
  bytes_left_out_ = 0;
  // Once for each such stretch, however little that saves.
  return end_ / kLargeBytes > before / kLargeBytes ? condense() : Status();
}

Status JournalFile::move_to(const std::string& path) {
  if (::rename(path_.c_str(), path.c_str()) != 0) return errno_error(errno, "rename " + path_);
  path_ = path;
  return {};
}

Status JournalFile::condense() {
  const std::vector<JournalEntry> fewer = condensed_entries(entries_);
  std::string content(kHead);
  for (std::size_t i = 0; i < fewer.size(); ++i) {
    ASSIGN_OR_RETURN(const std::string record, record_of(fewer[i], i));
    content += record;
  }
  if (content.size() > end_ / 2) return {};
  RETURN_IF_ERROR(write_private_file(path_, as_bytes(content)));
  ASSIGN_OR_RETURN(*this, open(path_, *repository_, Deadline::after(kPatienceForNewFile)));
  return {};
}

std::vector<JournalEntry> condensed_entries(const std::vector<JournalEntry>& entries) {
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].kind == EntryKind::kAccepted) accepted = i + 1;
  }
  const auto is_to_look_at = [](const Finding& one) { return one.weight != Weight::kRemark; };
  KnownState state;
  std::size_t i = 0;
  for (; i < entries.size(); ++i) {
    if (i >= accepted && std::ranges::any_of(compare(state, entries[i]), is_to_look_at)) break;
    state.apply(entries[i]);
  }
  if (i == 0) return entries;
  std::vector<JournalEntry> fewer = condensed(state);
  fewer.insert(fewer.end(), entries.begin() + static_cast<std::ptrdiff_t>(i), entries.end());
  return fewer;
}

}  // namespace restree
