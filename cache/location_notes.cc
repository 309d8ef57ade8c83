#include "cache/location_notes.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "repo/base/unique_fd.h"
#include "repo/crypto/sha256.h"
#include "repo/storage/storage.h"

namespace restree {
namespace {

namespace files = std::filesystem;

constexpr std::size_t kIdDigits = 64;

std::string folder_below(const std::string& base) { return base + "/locations"; }

std::string note_path(const std::string& base, const std::string& location) {
  return folder_below(base) + "/" + to_hex(sha256(as_bytes(location)));
}

std::optional<std::string> read_note(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::array<char, kIdDigits> id{};
  if (!fd || ::read(fd.get(), id.data(), id.size()) != static_cast<ssize_t>(id.size())) {
    return std::nullopt;
  }
  std::string text(id.data(), id.size());
  if (!is_repository_name(text)) return std::nullopt;
  return text;
}

}  // namespace

std::optional<std::string> noted_repository(const std::string& base, const std::string& location) {
  return read_note(note_path(base, location));
}

Status note_location(const std::string& base, const std::string& location,
                     const std::string& repository_id) {
  if (noted_repository(base, location) == repository_id) return {};
  const std::string folder = folder_below(base);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error(errno, "create folder " + folder);
  }
  const std::string path = note_path(base, location);
  const std::string unfinished = fmt::format("{}.{}", path, ::getpid());
  const UniqueFd fd(
      ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return errno_error(errno, "create " + unfinished);
  const std::string line = repository_id + "\n";
  const bool is_written =
      ::write(fd.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size());
  if (is_written && ::rename(unfinished.c_str(), path.c_str()) == 0) return {};
  const int failure = errno;
  ::unlink(unfinished.c_str());
  return errno_error(failure, "write " + path);
}

void forget_locations(const std::string& base, const std::string& repository_id) {
  std::error_code failed;
  files::directory_iterator entry(folder_below(base), failed);
  for (; !failed && entry != files::directory_iterator(); entry.increment(failed)) {
    if (read_note(entry->path().string()) != repository_id) continue;
    std::error_code ignored;
    files::remove(entry->path(), ignored);
  }
}

}  // namespace restree
