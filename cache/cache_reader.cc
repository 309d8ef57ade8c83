#include "cache/cache_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "repo/crypto/seal.h"
#include "repo/system/file_io.h"

namespace restree {
namespace {

// For a range of this length or more, the file system is first asked whether it has any hole,
// before memory is allocated and the range is read.
constexpr std::uint64_t kLargeRange = 64 << 10;
// How precisely a cache records when a file was last used.
constexpr std::int64_t kUseGrainSeconds = 600;
// No index or snapshot file is larger; a length from a broken disk must not make us allocate it.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30;

bool all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// Bytes that were never written, but lie in the same disk block as bytes that were, read as zeros
// and are not reported as a hole. No IV or MAC is all zeros.
bool is_hole(ByteView sealed) {
  return sealed.size() < kSealOverheadBytes || all_zero(sealed.first(kSealIvBytes)) ||
         all_zero(sealed.last(kSealMacBytes));
}

bool read_exactly(int fd, std::uint64_t offset, MutableByteView into) {
  return read_at(fd, offset, into).is_all_of(into);
}

bool is_whole(int fd, ByteRange range) {
  struct stat attributes {};
  if (::fstat(fd, &attributes) != 0) return false;
  const auto size = static_cast<std::uint64_t>(attributes.st_size);
  if (range.offset > size || range.length > size - range.offset) return false;
  const off_t hole = ::lseek(fd, static_cast<off_t>(range.offset), SEEK_HOLE);
  return hole < 0 || static_cast<std::uint64_t>(hole) >= range.offset + range.length;
}

void touch(int fd) {
  struct stat attributes {};
  timespec now{};
  if (::fstat(fd, &attributes) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0) return;
  if (now.tv_sec - attributes.st_mtim.tv_sec < kUseGrainSeconds) return;
  const timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  static_cast<void>(::futimens(fd, times));
}

}  // namespace

std::shared_ptr<const UniqueFd> CacheReader::find_open(const SealedPlace& place,
                                                       std::uint64_t& closings) {
  auto open = open_.lock();
  closings = open->closings;
  const auto now = now_();
  for (OpenPack& one : open->all) {
    if (one.fd == nullptr || one.pack != place.pack || one.type != place.type) continue;
    if (now - one.opened >= kHowLong) return nullptr;
    one.used = now;
    return one.fd;
  }
  return nullptr;
}

// Marks the pack as used only when it is opened, which is often enough.
std::shared_ptr<const UniqueFd> CacheReader::open(const SealedPlace& place) {
  std::uint64_t closings = 0;
  if (auto known = find_open(place, closings)) return known;
  auto opened = folder_.open_to_read(cache_path(place));
  if (!opened) return nullptr;
  auto fd = std::make_shared<const UniqueFd>(std::move(*opened));
  touch(fd->get());

  const auto now = now_();
  std::shared_ptr<const UniqueFd> replaced;  // closed without the lock
  auto open = open_.lock();
  if (open->closings != closings) return fd;  // the file may have been removed since
  const auto is_same = [&](const OpenPack& one) {
    return one.fd != nullptr && one.pack == place.pack && one.type == place.type;
  };
  auto slot = std::ranges::find_if(open->all, is_same);
  if (slot == open->all.end()) slot = std::ranges::min_element(open->all, {}, &OpenPack::used);
  replaced = std::exchange(slot->fd, fd);
  *slot = {.pack = place.pack, .type = place.type, .fd = fd, .opened = now, .used = now};
  return fd;
}

void CacheReader::close_all() {
  std::array<OpenPack, kMostOpen> closed;
  auto open = open_.lock();
  std::swap(open->all, closed);
  ++open->closings;
}

std::optional<Bytes> CacheReader::read(const SealedPlace& place) {
  const auto fd = open(place);
  if (fd == nullptr) return std::nullopt;
  if (place.range.length >= kLargeRange && !is_whole(fd->get(), place.range)) return std::nullopt;
  Bytes sealed(place.range.length);
  if (!read_exactly(fd->get(), place.range.offset, sealed.view())) return std::nullopt;
  if (is_hole(sealed)) return std::nullopt;
  return sealed;
}

// Looks only at the end of the range, since that is the part that an interrupted write lacks.
bool CacheReader::has(const SealedPlace& place) {
  if (place.range.length < kSealOverheadBytes) return false;
  const auto fd = open(place);
  if (fd == nullptr) return false;
  std::byte mac[kSealMacBytes];
  const std::uint64_t at = place.range.offset + place.range.length - kSealMacBytes;
  return read_exactly(fd->get(), at, mac) && !all_zero(mac);
}

std::optional<Bytes> CacheReader::read(const std::string& path) const {
  const auto fd = folder_.open_to_read(path);
  struct stat attributes {};
  if (!fd || ::fstat(fd->get(), &attributes) != 0) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(attributes.st_size);
  if (size == 0 || size > kLargestFile) return std::nullopt;
  Bytes bytes(size);
  if (!read_exactly(fd->get(), 0, bytes.view())) return std::nullopt;
  return bytes;
}

}  // namespace restree
