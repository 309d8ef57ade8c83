#include "tests/support/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "repo/base/unique_fd.h"

namespace restree::testing {
namespace {

[[noreturn]] void fail(const std::string& doing, const std::filesystem::path& path) {
  throw std::system_error(errno, std::generic_category(), doing + " " + path.string());
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0) fail("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

UniqueFd open_or_fail(const std::filesystem::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!fd) fail("open", path);
  return fd;
}

class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  void fill(std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      const std::uint64_t word = next();
      std::memcpy(bytes.data() + at, &word, std::min<std::size_t>(8, bytes.size() - at));
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view content) {
  const UniqueFd fd = open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(fd.get(), content, path);
}

std::string read_file(const std::filesystem::path& path) {
  const UniqueFd fd = open_or_fail(path, O_RDONLY);
  std::string content;
  std::string piece(kMiB, '\0');
  ssize_t count = 0;
  while ((count = ::read(fd.get(), piece.data(), piece.size())) > 0) {
    content.append(piece, 0, static_cast<std::size_t>(count));
  }
  if (count < 0) fail("read", path);
  return content;
}

std::string random_bytes(std::uint64_t seed, std::uint64_t size) {
  std::string bytes(size, '\0');
  SplitMix64(seed).fill(bytes);
  return bytes;
}

void write_random_file(const std::filesystem::path& path, std::uint64_t seed, std::uint64_t size) {
  const UniqueFd fd = open_or_fail(path, O_WRONLY | O_CREAT | O_TRUNC);
  SplitMix64 random(seed);
  for (std::uint64_t done = 0; done < size; done += kMiB) {
    std::string piece(std::min(kMiB, size - done), '\0');
    random.fill(piece);
    write_all(fd.get(), piece, path);
  }
}

void flip_byte(const std::filesystem::path& path, std::uint64_t offset) {
  std::filesystem::permissions(path, std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  const UniqueFd fd = open_or_fail(path, O_RDWR);
  char byte = 0;
  const auto at = static_cast<off_t>(offset);
  if (::pread(fd.get(), &byte, 1, at) != 1) fail("read", path);
  byte = static_cast<char>(byte ^ 0x10);
  if (::pwrite(fd.get(), &byte, 1, at) != 1) fail("write", path);
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  struct Close {
    void operator()(DIR* directory) const { ::closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(::opendir(folder.c_str()));
  if (!directory) fail("open folder", folder);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) fail("list", folder);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.symlink_status().type() == std::filesystem::file_type::regular) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

int errno_of_reading(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno;
  std::string piece(128 * kKiB, '\0');
  ssize_t count = 0;
  while ((count = ::read(fd.get(), piece.data(), piece.size())) > 0) continue;
  return count < 0 ? errno : 0;
}

}  // namespace restree::testing
