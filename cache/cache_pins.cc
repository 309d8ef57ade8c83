#include "cache/cache_pins.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "repo/storage/storage.h"

namespace restree {
namespace {

constexpr const char* kFolder = "pins";
// The size of a pin of a million packs.
constexpr off_t kLargestPin = 128 << 20;

std::string path_of(const std::string& snapshot) { return std::string(kFolder) + "/" + snapshot; }

std::string read_text(const CacheFolder& folder, const std::string& path) {
  const auto fd = folder.open_to_read(path);
  struct stat attributes {};
  if (!fd || ::fstat(fd->get(), &attributes) != 0 || attributes.st_size > kLargestPin) return "";
  std::string text(static_cast<std::size_t>(attributes.st_size), '\0');
  const ssize_t count = ::pread(fd->get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

bool is_pack_path(std::string_view path) {
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string_view folder = path.substr(0, slash);
  return (folder == "data" || folder == "trees") &&
         PackId::parse(path.substr(slash + 1)).has_value();
}

void add_lines(std::string_view text, PinnedPacks& packs) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !is_pack_path(line.substr(0, space))) continue;
    std::uint64_t bytes = 0;
    const char* const end = line.data() + line.size();
    if (std::from_chars(line.data() + space + 1, end, bytes).ptr != end) continue;
    std::uint64_t& known = packs[std::string(line.substr(0, space))];
    known = std::max(known, bytes);
  }
}

}  // namespace

std::vector<SnapshotId> pinned_snapshots(const CacheFolder& folder) {
  std::vector<SnapshotId> ids;
  for (const std::string& name : folder.names_in(kFolder)) {
    if (const auto id = SnapshotId::parse(name)) ids.push_back(*id);
  }
  std::ranges::sort(ids);
  return ids;
}

PinnedPacks pinned_packs(const CacheFolder& folder, const std::string& but) {
  PinnedPacks packs;
  for (const SnapshotId& id : pinned_snapshots(folder)) {
    const std::string snapshot = id.hex();
    if (snapshot != but) add_lines(read_text(folder, path_of(snapshot)), packs);
  }
  return packs;
}

Status write_pin(const CacheFolder& folder, const std::string& snapshot, const PinnedPacks& packs) {
  std::string text;
  for (const auto& [path, bytes] : packs) text += fmt::format("{} {}\n", path, bytes);
  const std::string path = path_of(snapshot);
  const std::string draft = path + ".new";
  ASSIGN_OR_RETURN(const UniqueFd fd, folder.open_to_write(draft, true));
  const ssize_t count = ::pwrite(fd.get(), text.data(), text.size(), 0);
  if (count != static_cast<ssize_t>(text.size())) {
    const int failure = count < 0 ? errno : ENOSPC;
    folder.remove(draft);
    return errno_error(failure, "write " + folder.path() + "/" + draft);
  }
  if (::renameat(folder.fd(), draft.c_str(), folder.fd(), path.c_str()) != 0) {
    return errno_error(errno, "rename " + folder.path() + "/" + draft);
  }
  return {};
}

bool remove_pin(const CacheFolder& folder, const std::string& snapshot) {
  return ::unlinkat(folder.fd(), path_of(snapshot).c_str(), 0) == 0;
}

}  // namespace restree
