#include "tests/support/awkward_tree.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "repo/base/unique_fd.h"
#include "tests/support/process.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;

void check(int result, const fs::path& path) {
  if (result != 0) throw std::system_error(errno, std::generic_category(), path.string());
}

void make_sizes(const fs::path& in, std::uint64_t big_file_bytes) {
  fs::create_directory(in);
  write_file(in / "empty", "");
  write_file(in / "one byte", "1");
  write_random_file(in / "5 MiB", 5, 5 * kMiB);
  write_random_file(in / "big", 300, big_file_bytes);
  write_file(in / "repeats", std::string(3 * kMiB, 'r'));
  write_file(in / "sparse", "");
  const UniqueFd fd(::open((in / "sparse").c_str(), O_WRONLY | O_CLOEXEC));
  const std::string island = random_bytes(96, kMiB);
  check(::pwrite(fd.get(), island.data(), island.size(), 48 * kMiB) == ssize_t(kMiB) ? 0 : -1, in);
  check(::ftruncate(fd.get(), 96 * kMiB), in);
}

void make_links(const fs::path& in, bool raw_targets) {
  fs::create_directories(in / "elsewhere");
  write_file(in / "hard 1", "three names, one file");
  fs::create_hard_link(in / "hard 1", in / "hard 2");
  fs::create_hard_link(in / "hard 1", in / "elsewhere/hard 3");
  fs::create_symlink("hard 1", in / "relative");
  fs::create_symlink("/etc/hostname", in / "absolute");
  fs::create_symlink("nowhere/at all", in / "dangling");
  fs::create_symlink("../names/ü 😀\t\"'\\ \n", in / "strange target");
  fs::create_symlink(std::string(4000, 'x'), in / "long target");
  fs::create_symlink("elsewhere", in / "to a folder");
  if (raw_targets) {
    fs::create_symlink("raw \xff\xfe\x80 target", in / "raw target");
    check(::lsetxattr((in / "relative").c_str(), "trusted.link", "v", 1, 0), in);
  }
}

void make_special(const fs::path& in) {
  fs::create_directory(in);
  check(::mkfifo((in / "fifo").c_str(), 0620), in);
  check(::mknod((in / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)), in);
  check(::mknod((in / "block").c_str(), S_IFBLK | 0640, makedev(259, 300)), in);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (in / "socket").string();
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error("path too long for a socket");
  std::copy(path.begin(), path.end(), std::begin(address.sun_path));
  check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), in);
}

void make_modes(const fs::path& in) {
  fs::create_directory(in);
  for (const mode_t mode : {0000U, 0400U, 0644U, 0755U, 01644U, 02755U, 04755U, 07777U}) {
    std::array<char, 8> octal{};
    std::snprintf(octal.data(), octal.size(), "%04o", mode);
    const fs::path file = in / (std::string("file ") + octal.data());
    const fs::path folder = in / (std::string("folder ") + octal.data());
    write_file(file, octal.data());
    fs::create_directory(folder);
    write_file(folder / "inside", octal.data());
    check(::chmod(file.c_str(), mode), file);
    check(::chmod(folder.c_str(), mode), folder);
  }
}

void make_names(const fs::path& in) {
  fs::create_directory(in);
  const std::vector<std::string> names = {"with space",
                                          " leading and trailing ",
                                          "\"double\" 'single' `back`",
                                          "back\\slash\\x41",
                                          "new\nline",
                                          "tab\tbell\a\x01\x7f",
                                          "$HOME *?[a-z] ;&|<>",
                                          "-rf",
                                          ".hidden",
                                          "...",
                                          "emoji 😀 ünïcödé",
                                          "nbsp\u00a0zwj\u200d",
                                          "rtl\u202e",
                                          "invalid \xff\xfe utf-8",
                                          "overlong \xc0\xaf",
                                          "cut \xe2\x82",
                                          "snapshot:1",
                                          "CON",
                                          "%2F",
                                          std::string(255, 'n')};
  for (const auto& name : names) {
    write_file(in / name, name);
    fs::create_directory(in / ("dir " + name.substr(0, 200)));
    write_file(in / ("dir " + name.substr(0, 200)) / name, name);
  }
}

void set_xattr(const fs::path& path, const std::string& name, std::string_view value) {
  check(::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0), path / name);
}

void make_xattrs(const fs::path& in) {
  using namespace std::string_view_literals;
  fs::create_directories(in / "acl folder");
  write_file(in / "user attributes", "x");
  set_xattr(in / "user attributes", "user.text", "value");
  set_xattr(in / "user attributes", "user.binary", "\0\xff\n"sv);
  set_xattr(in / "user attributes", "user.empty", "");
  set_xattr(in / "user attributes", "user.large", std::string(2000, 'v'));
  set_xattr(in / "user attributes", "trusted.admin", "only root");
  set_xattr(in / "acl folder", "user.on a folder", "yes");
  // A v2 capability set: cap_net_bind_service, permitted and effective.
  write_file(in / "capable", "x");
  set_xattr(in / "capable", "security.capability",
            "\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv);
  write_file(in / "acl file", "x");
  run_ok({.argv = {"setfacl", "-m", "u:54321:rw,g:54322:r,m::rw", (in / "acl file").string()}});
  run_ok({.argv = {"setfacl", "-m", "u:54321:rwx", (in / "acl folder").string()}});
  run_ok({.argv = {"setfacl", "-d", "-m", "u:54321:rx,g::r", (in / "acl folder").string()}});
}

void make_times(const fs::path& in) {
  fs::create_directory(in);
  const std::vector<std::pair<std::string, timespec>> times = {
      {"epoch", {0, 0}},
      {"just before", {-1, 999'999'999}},
      {"1901", {-2147483648, 1}},
      {"1955", {-450'000'000, 123'456'789}},
      {"nano", {1700000000, 987654321}},
      {"2038", {2147483648, 5}},
      {"2200", {7258118400, 100}}};
  for (const auto& [name, time] : times) {
    write_file(in / name, name);
    fs::create_directory(in / ("folder " + name));
    fs::create_symlink(name, in / ("link " + name));
    const std::array<timespec, 2> both = {time, time};
    for (const auto& path : {in / name, in / ("folder " + name), in / ("link " + name)}) {
      check(::utimensat(AT_FDCWD, path.c_str(), both.data(), AT_SYMLINK_NOFOLLOW), path);
    }
  }
}

void make_owners(const fs::path& in) {
  fs::create_directory(in);
  for (const uid_t id : {1U, 65534U, 54321U, 2147483648U, 4294967294U}) {
    const fs::path file = in / ("owner " + std::to_string(id));
    write_file(file, "x");
    fs::create_symlink("x", in / ("link " + std::to_string(id)));
    check(::lchown(file.c_str(), id, id - 1), file);
    check(::lchown((in / ("link " + std::to_string(id))).c_str(), id, id - 1), file);
  }
}

void make_nested(const fs::path& in, int depth) {
  fs::create_directory(in);
  for (int i = 0; i < 3; ++i) write_file(in / ("file " + std::to_string(i)), in.string());
  if (depth > 0) make_nested(in / "deeper", depth - 1);
}

void make_crowd(const fs::path& in) {
  fs::create_directories(in / "no entries");
  for (int i = 0; i < 1500; ++i) {
    write_file(in / ("entry " + std::to_string(i)), std::to_string(i * 7919));
  }
}

}  // namespace

void make_awkward_tree(const fs::path& root, const AwkwardTreeOptions& options) {
  fs::create_directories(root);
  make_sizes(root / "sizes", options.big_file_bytes);
  make_links(root / "links", options.beyond_restic_0_14);
  make_special(root / "special");
  make_modes(root / "modes");
  make_names(root / "names");
  make_xattrs(root / "xattrs");
  make_times(root / "times");
  make_owners(root / "owners");
  make_nested(root / "nested", 30);
  make_crowd(root / "crowd");
  // The root of an app is restored from <time>/ itself, so it too has something to lose.
  set_xattr(root, "user.of the root", "kept");
  check(::chown(root.c_str(), 1234, 5678), root);
  check(::chmod(root.c_str(), 02751), root);
  const std::array<timespec, 2> both = {timespec{1600000000, 123}, timespec{1600000000, 123}};
  check(::utimensat(AT_FDCWD, root.c_str(), both.data(), 0), root);
}

}  // namespace restree::testing
