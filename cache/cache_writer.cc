#include "cache/cache_writer.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <tuple>
#include <utility>

#include "cache/cache_eviction.h"

namespace restree {
namespace {

constexpr std::uint64_t kBlockBytes = 4096;
// The disk space that a file system may take for each file in addition to the blocks of its data.
constexpr std::uint64_t kFileOverheadBytes = 8192;
// Each eviction frees this fraction of the limit (one part in 64) in addition to what is needed, so
// that not every write has to search the whole folder.
constexpr std::uint64_t kSparePart = 64;
// A file that replace() writes is never evicted, so it may take at most this fraction of the limit
// (one part in 8).
constexpr std::uint64_t kLargestPart = 8;

std::uint64_t end_of(const KeptPart& part) { return part.offset + part.bytes.size(); }

// The most disk space that the parts can take.
std::uint64_t most_bytes(std::span<const KeptPart> parts) {
  std::uint64_t sum = kFileOverheadBytes;
  for (const KeptPart& part : parts) {
    const std::uint64_t first = part.offset / kBlockBytes;
    sum += ((end_of(part) + kBlockBytes - 1) / kBlockBytes - first) * kBlockBytes;
  }
  return sum;
}

std::optional<std::uint64_t> bytes_of(int fd) {
  struct stat attributes {};
  if (::fstat(fd, &attributes) != 0) return std::nullopt;
  return bytes_on_disk(attributes);
}

// Writes parts that follow each other without a gap in one call. Returns 0 or errno.
int write_run(int fd, std::span<const KeptPart> run) {
  std::vector<iovec> pieces;
  for (const KeptPart& part : run) {
    // The cast is safe: pwritev(2) only reads from this memory.
    pieces.push_back({const_cast<std::byte*>(part.bytes.data()), part.bytes.size()});
  }
  std::uint64_t offset = run.front().offset;
  for (std::span<iovec> rest = pieces; !rest.empty();) {
    const auto some = rest.first(std::min<std::size_t>(rest.size(), IOV_MAX));
    ssize_t count =
        ::pwritev(fd, some.data(), static_cast<int>(some.size()), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    offset += static_cast<std::uint64_t>(count);
    while (!rest.empty() && static_cast<std::size_t>(count) >= rest.front().iov_len) {
      count -= static_cast<ssize_t>(rest.front().iov_len);
      rest = rest.subspan(1);
    }
    if (rest.empty()) break;
    rest.front().iov_base = static_cast<std::byte*>(rest.front().iov_base) + count;
    rest.front().iov_len -= static_cast<std::size_t>(count);
  }
  return 0;
}

int write_parts(int fd, std::span<const KeptPart> parts) {
  while (!parts.empty()) {
    std::size_t count = 1;
    while (count < parts.size() && parts[count].offset == end_of(parts[count - 1])) ++count;
    if (const int failure = write_run(fd, parts.first(count)); failure != 0) return failure;
    parts = parts.subspan(count);
  }
  return 0;
}

std::uint64_t sum_of(const std::vector<CachedFile>& files) {
  std::uint64_t sum = 0;
  for (const CachedFile& file : files) sum += file.bytes;
  return sum;
}

struct Room {
  std::uint64_t free_bytes;
  std::uint64_t disk_bytes;
};

Result<Room> room_of(const CacheFolder& folder) {
  struct statvfs figures {};
  if (::fstatvfs(folder.fd(), &figures) != 0) {
    return errno_error(errno, "look for free space at " + folder.path());
  }
  const std::uint64_t unit = figures.f_frsize;
  return Room{figures.f_bavail * unit, figures.f_blocks * unit};
}

}  // namespace

Result<CacheWriter::Written> CacheWriter::write(std::vector<KeptPart> parts) {
  std::ranges::stable_sort(parts, [](const KeptPart& a, const KeptPart& b) {
    // Parts that are evicted last are written first.
    return std::tie(b.kind, a.path, a.offset) < std::tie(a.kind, b.path, b.offset);
  });
  ASSIGN_OR_RETURN(CacheUsage::Turn turn, take_turn());
  counts_ = counts_of(turn);
  written_ = {};
  Status status;
  for (std::span<const KeptPart> rest = parts; !rest.empty() && status;) {
    std::size_t count = 1;
    while (count < rest.size() && rest[count].path == rest[0].path) ++count;
    status = write_file(rest.first(count), turn);
    rest = rest.subspan(count);
  }
  const Status noted = turn.set(counts_);
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(noted);
  return written_;
}

Status CacheWriter::write_file(std::span<const KeptPart> parts, CacheUsage::Turn& turn) {
  const CachedKind kind = parts[0].kind;
  const std::uint64_t needed = most_bytes(parts);
  ASSIGN_OR_RETURN(const bool has_room, make_room(kind, needed));
  if (!has_room) {
    written_.dropped += parts.size();
    return {};
  }
  CacheCounts most = counts_;
  most.bytes += needed;
  RETURN_IF_ERROR(turn.set(most));
  ASSIGN_OR_RETURN(const UniqueFd fd, folder_.open_to_write(parts[0].path, false));
  const auto before = bytes_of(fd.get());
  int failure = write_parts(fd.get(), parts);
  // Bytes beyond the new end belong to the file's former content.
  if (failure == 0 && kind == CachedKind::kFile &&
      ::ftruncate(fd.get(), static_cast<off_t>(end_of(parts.back()))) != 0) {
    failure = errno;
  }
  const auto after = bytes_of(fd.get());
  counts_.bytes = before && after ? counts_.bytes + *after - *before : counts_.bytes + needed;
  if (failure != 0) return errno_error(failure, "write " + folder_.path() + "/" + parts[0].path);
  for (const KeptPart& part : parts) written_.bytes += part.bytes.size();
  return {};
}

Result<bool> CacheWriter::make_room(CachedKind kind, std::uint64_t needed) {
  ASSIGN_OR_RETURN(Room room, room_of(folder_));
  const std::uint64_t least_free =
      std::max(limits_.least_free_bytes, room.disk_bytes / 100 * limits_.least_free_percent);
  const auto is_too_large = [&] { return counts_.bytes + needed > limits_.size_bytes; };
  const auto is_too_full = [&] { return room.free_bytes < least_free + needed; };
  if (!is_too_large() && !is_too_full()) return true;

  Full& full = full_[static_cast<std::size_t>(kind)];
  if (needed >= full.for_bytes && Deadline::Clock::now() < full.until) return false;
  std::vector<CachedFile> files = scan_with_pins();
  counts_.bytes = sum_of(files);
  const std::uint64_t evictable = evictable_bytes(files, kind);
  const bool fits = counts_.bytes - evictable + needed <= limits_.size_bytes;
  std::uint64_t wanted = 0;
  if (is_too_large() && fits) {
    wanted = counts_.bytes + needed - limits_.size_bytes + limits_.size_bytes / kSparePart;
  }
  if (is_too_full()) wanted = std::max(wanted, least_free + needed - room.free_bytes);
  if (wanted > 0) {
    const std::uint64_t before = written_.evicted_bytes;
    evict(choose_evictions(std::move(files), kind, wanted));
    room.free_bytes += written_.evicted_bytes - before;
  }
  if (!is_too_large() && !is_too_full()) return true;
  full = {Deadline::Clock::now() + kFullFor, needed};
  if (!is_too_full()) return false;
  return Error(ErrorKind::kLocalIo,
               fmt::format("only {} MiB are free on the disk of {}, and {} MiB have to stay free",
                           room.free_bytes >> 20, folder_.path(), least_free >> 20));
}

std::vector<CachedFile> CacheWriter::scan_with_pins() const {
  std::vector<CachedFile> files = folder_.scan();
  const PinnedPacks pinned = pinned_packs(folder_);
  for (CachedFile& file : files) file.is_pinned = pinned.contains(file.path);
  return files;
}

Status CacheWriter::pin(const std::string& snapshot, const PinnedPacks& packs) {
  ASSIGN_OR_RETURN(CacheUsage::Turn turn, take_turn());
  PinnedPacks all = pinned_packs(folder_, snapshot);
  for (const auto& [path, bytes] : packs) {
    std::uint64_t& wanted = all[path];
    wanted = std::max(wanted, bytes);
  }
  std::uint64_t needed = 0;
  for (const CachedFile& file : folder_.scan()) {
    const auto pinned = all.find(file.path);
    if (pinned != all.end()) {
      // The cache may hold more of the pack than the pins want, and all of it stays.
      pinned->second = std::max(pinned->second, file.bytes);
    } else if (file.kind == CachedKind::kFile) {
      needed += file.bytes;
    }
  }
  for (const auto& [path, bytes] : all) needed += bytes;
  if (needed > limits_.size_bytes) {
    return Error(ErrorKind::kInvalid,
                 fmt::format("{} MiB would be pinned, all pins together, and the cache may take {} "
                             "MiB",
                             (needed >> 20) + 1, limits_.size_bytes >> 20))
        .hinting("Allow it more with cache_size, or remove a pin with `restree warm --unpin`.");
  }
  counts_ = counts_of(turn);
  Status written = write_pin(folder_, snapshot, packs);
  counts_.bytes = sum_of(folder_.scan());
  RETURN_IF_ERROR(turn.set(counts_));
  return written;
}

void CacheWriter::evict(const std::vector<CachedFile>& files) {
  for (const CachedFile& file : files) {
    const std::uint64_t freed = folder_.remove(file.path);
    counts_.bytes -= std::min(counts_.bytes, freed);
    written_.evicted_bytes += freed;
  }
  on_removal_();
}

Result<std::uint64_t> CacheWriter::shrink() {
  ASSIGN_OR_RETURN(CacheUsage::Turn turn, take_turn());
  counts_ = counts_of(turn);
  written_ = {};
  if (counts_.bytes > limits_.size_bytes) {
    std::vector<CachedFile> files = scan_with_pins();
    counts_.bytes = sum_of(files);
    const std::uint64_t excess = counts_.bytes - std::min(counts_.bytes, limits_.size_bytes);
    if (excess > 0) evict(choose_evictions(std::move(files), CachedKind::kTree, excess));
  }
  RETURN_IF_ERROR(turn.set(counts_));
  return written_.evicted_bytes;
}

Status CacheWriter::remove(const std::vector<std::string>& paths) {
  ASSIGN_OR_RETURN(CacheUsage::Turn turn, take_turn());
  counts_ = counts_of(turn);
  for (const std::string& path : paths) {
    counts_.bytes -= std::min(counts_.bytes, folder_.remove(path));
  }
  on_removal_();
  return turn.set(counts_);
}

Result<bool> CacheWriter::replace(const std::string& name, std::uint64_t most_bytes,
                                  const std::function<Status(int fd)>& write) {
  if (most_bytes > limits_.size_bytes / kLargestPart) return false;
  const std::string draft = name + ".new";
  ASSIGN_OR_RETURN(const UniqueFd fd, begin_draft(draft, most_bytes));
  if (!fd) return false;
  Status status = write(fd.get());

  ASSIGN_OR_RETURN(CacheUsage::Turn turn, take_turn());
  counts_ = counts_of(turn);
  if (status && ::renameat(folder_.fd(), draft.c_str(), folder_.fd(), name.c_str()) != 0) {
    status = errno_error(errno, "rename " + folder_.path() + "/" + draft);
  }
  if (!status) folder_.remove(draft);
  // Other processes may have counted part of the draft meanwhile, so count anew.
  counts_.bytes = sum_of(folder_.scan());
  RETURN_IF_ERROR(turn.set(counts_));
  RETURN_IF_ERROR(status);
  return true;
}

// An empty descriptor: the file must not be written now. The lock on a draft shows that a process
// is writing it. A draft left behind by a killed process has no lock; it counts towards the limit
// until the next writer empties it.
Result<UniqueFd> CacheWriter::begin_draft(const std::string& draft, std::uint64_t most_bytes) {
  ASSIGN_OR_RETURN(CacheUsage::Turn turn, take_turn());
  counts_ = counts_of(turn);
  written_ = {};
  ASSIGN_OR_RETURN(UniqueFd fd, folder_.open_to_write(draft, false));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return UniqueFd();
  if (::ftruncate(fd.get(), 0) != 0)
    return errno_error(errno, "empty " + folder_.path() + "/" + draft);
  counts_.bytes = sum_of(folder_.scan());
  const std::uint64_t needed = most_bytes + kBlockBytes + kFileOverheadBytes;
  Result<bool> has_room = make_room(CachedKind::kFile, needed);
  if (has_room && *has_room) {
    counts_.bytes += needed;
    // Allocated in full, so that every process counts its final size from now on. On a file system
    // without fallocate only the bytes already written are counted.
    if (::fallocate(fd.get(), 0, 0, static_cast<off_t>(most_bytes)) != 0 && errno == ENOSPC) {
      has_room = errno_error(ENOSPC, "write " + folder_.path() + "/" + draft);
      counts_.bytes -= needed;
    }
  }
  if (!has_room || !*has_room) folder_.remove(draft);
  RETURN_IF_ERROR(turn.set(counts_));
  RETURN_IF_ERROR(has_room);
  return *has_room ? std::move(fd) : UniqueFd();
}

Status CacheWriter::write_note(const std::string& name, std::string_view content) {
  ASSIGN_OR_RETURN(const UniqueFd fd, folder_.open_to_write(name, false));
  const ssize_t count = ::pwrite(fd.get(), content.data(), content.size(), 0);
  // Truncated only after writing, so that the note is never empty for a reader, or if we are
  // killed.
  if (count != static_cast<ssize_t>(content.size()) || ::ftruncate(fd.get(), count) != 0) {
    return errno_error(errno, "write " + folder_.path() + "/" + name);
  }
  return {};
}

Status CacheWriter::write_lookups() {
  if (hits_ == 0 && misses_ == 0) return {};
  ASSIGN_OR_RETURN(CacheUsage::Turn turn, take_turn());
  return turn.set(counts_of(turn));
}

CacheCounts CacheWriter::counts_of(const CacheUsage::Turn& turn) {
  CacheCounts counts;
  if (const auto known = turn.counts()) {
    counts = *known;
  } else {
    counts.bytes = sum_of(folder_.scan());
  }
  counts.hits += std::exchange(hits_, 0);
  counts.misses += std::exchange(misses_, 0);
  return counts;
}

}  // namespace restree
