#include "tests/support/changing_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "tests/support/files.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargeBytes = 9 * kMiB;

void require(int result, const char* doing, const fs::path& path) {
  if (result != 0) {
    throw std::system_error(errno, std::generic_category(),
                            std::string(doing) + " " + path.string());
  }
}

std::uint64_t seed(int day, int what) {
  return static_cast<std::uint64_t>(day) * 100 + static_cast<std::uint64_t>(what);
}

void set_mtime(const fs::path& path, std::int64_t seconds) {
  const struct timespec times[] = {{seconds, 1}, {seconds, 123456789}};
  require(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), "set the time of", path);
}

void change_contents(const fs::path& root, int day) {
  const std::string large = read_file(root / "data/large");
  const std::string piece = random_bytes(seed(day, 1), 100 * kKiB);
  write_file(root / "data/large",
             large.substr(0, large.size() / 2) + piece + large.substr(large.size() / 2));
  write_file(root / "data/log", read_file(root / "data/log") + piece);
  write_file(root / "data/shrinking", random_bytes(7, kMiB / static_cast<unsigned>(day + 1)));
  // The same size and another content.
  write_file(root / "data/rewritten", random_bytes(seed(day, 2), 5000));
}

void change_names(const fs::path& root, int day) {
  write_file(root / fmt::format("data/new-{}", day), random_bytes(seed(day, 3), 3 * kMiB));
  fs::rename(root / fmt::format("names/file-{}", day - 1),
             root / fmt::format("names/file-{}", day));
  fs::rename(root / fmt::format("folder-{}", day - 1), root / fmt::format("folder-{}", day));
  fs::remove(root / fmt::format("names/goes-{}", day));
  const fs::path changing = root / "names/changes-type";
  fs::remove_all(changing);
  if (day % 3 == 0) write_file(changing, "a file");
  if (day % 3 == 1) fs::create_symlink(fmt::format("target-{}", day), changing);
  if (day % 3 == 2) fs::create_directories(changing / "below");
  fs::create_hard_link(root / "data/log", root / fmt::format("names/linked-{}", day));
}

void change_metadata(const fs::path& root, int day) {
  const fs::path file = root / "metadata/file";
  require(::chmod(file.c_str(), day % 2 == 0 ? 0640 : 04755), "chmod", file);
  require(::lchown(file.c_str(), static_cast<uid_t>(day), 12345), "chown", file);
  set_mtime(root / "metadata/touched", 1'000'000'000 + day);
  const std::string value = fmt::format("day {}", day);
  const fs::path marked = root / "metadata";
  require(::setxattr(marked.c_str(), "user.day", value.data(), value.size(), 0), "mark", marked);
}

}  // namespace

void make_changing_folder(const fs::path& root) {
  for (const char* folder : {"data", "names", "metadata", "folder-0/deep/deeper", "still/empty"}) {
    fs::create_directories(root / folder);
  }
  write_random_file(root / "data/large", 1, kLargeBytes);
  write_random_file(root / "data/log", 2, 700 * kKiB);
  write_random_file(root / "data/shrinking", 7, kMiB);
  write_random_file(root / "data/rewritten", 4, 5000);
  write_random_file(root / "folder-0/deep/deeper/large", 5, 2 * kMiB);
  for (const char* name : {"names/file-0", "metadata/file", "metadata/touched", "still/x"}) {
    write_file(root / name, name);
  }
  for (int day = 1; day <= 9; ++day) write_file(root / fmt::format("names/goes-{}", day), "");
}

void change_folder(const fs::path& root, int day) {
  change_contents(root, day);
  change_names(root, day);
  change_metadata(root, day);
}

}  // namespace restree::testing
