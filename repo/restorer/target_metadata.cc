#include "repo/restorer/target_metadata.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/base/unique_fd.h"
#include "repo/format/node_name.h"

namespace restree {
namespace {

timespec to_timespec(Timestamp time) {
  return {.tv_sec = static_cast<time_t>(time.seconds),
          .tv_nsec = static_cast<long>(time.nanoseconds)};
}

bool equal(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// File systems without attributes say so on every call.
bool means_no_xattrs(int errno_value) {
  return errno_value == ENOTSUP || errno_value == EOPNOTSUPP || errno_value == ENODATA;
}

// `number` if no user of that name is known: the file must not become root's for that.
std::uint32_t id_of_user(const std::string& name, std::uint32_t number) {
  if (holds_zero_byte(name)) return number;
  std::vector<char> buffer(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? number : found->pw_uid;
}

std::uint32_t id_of_group(const std::string& name, std::uint32_t number) {
  if (holds_zero_byte(name)) return number;
  std::vector<char> buffer(16 << 10);
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? number : found->gr_gid;
}

}  // namespace

// Calls that take a descriptor, or for one that was opened with O_PATH, which they refuse, its path
// in /proc: that leads to the very object, were it a symbolic link.
struct TargetMetadata::Object {
  int fd;
  std::string proc_path;  // empty: the descriptor itself will do

  int change_owner(uid_t uid, gid_t gid) const {
    return proc_path.empty() ? ::fchown(fd, uid, gid) : ::chown(proc_path.c_str(), uid, gid);
  }
  int change_mode(mode_t mode) const {
    return proc_path.empty() ? ::fchmod(fd, mode) : ::chmod(proc_path.c_str(), mode);
  }
  int change_times(const std::array<timespec, 2>& times) const {
    return proc_path.empty() ? ::futimens(fd, times.data())
                             : ::utimensat(AT_FDCWD, proc_path.c_str(), times.data(), 0);
  }
  ssize_t list_xattrs(char* into, std::size_t size) const {
    return proc_path.empty() ? ::flistxattr(fd, into, size)
                             : ::listxattr(proc_path.c_str(), into, size);
  }
  ssize_t get_xattr(const char* name, char* into, std::size_t size) const {
    return proc_path.empty() ? ::fgetxattr(fd, name, into, size)
                             : ::getxattr(proc_path.c_str(), name, into, size);
  }
  int set_xattr(const char* name, std::string_view value) const {
    return proc_path.empty() ? ::fsetxattr(fd, name, value.data(), value.size(), 0)
                             : ::setxattr(proc_path.c_str(), name, value.data(), value.size(), 0);
  }
  int remove_xattr(const char* name) const {
    return proc_path.empty() ? ::fremovexattr(fd, name) : ::removexattr(proc_path.c_str(), name);
  }
  bool has_xattr(const char* name, std::string_view value) const {
    std::string there(value.size() + 1, '\0');
    const ssize_t size = get_xattr(name, there.data(), there.size());
    return size == static_cast<ssize_t>(value.size()) &&
           std::string_view(there).substr(0, value.size()) == value;
  }
  // The names there are, each with a NUL behind it. nullopt: errno says why.
  std::optional<std::string> xattr_names() const {
    std::array<char, 512> few{};
    ssize_t size = list_xattrs(few.data(), few.size());
    if (size >= 0) return std::string(few.data(), static_cast<std::size_t>(size));
    if (means_no_xattrs(errno)) return std::string();
    if (errno != ERANGE) return std::nullopt;
    std::string many(64 << 10, '\0');  // the kernel's own limit
    size = list_xattrs(many.data(), many.size());
    if (size < 0) return std::nullopt;
    many.resize(static_cast<std::size_t>(size));
    return many;
  }
};

TargetMetadata::TargetMetadata(bool ownership_by_name,
                               std::function<bool(std::string_view)> select_xattr)
    : ownership_by_name_(ownership_by_name),
      select_xattr_(std::move(select_xattr)),
      is_root_(::geteuid() == 0) {}

Status TargetMetadata::apply(int fd, const Node& node, What what) const {
  return apply_to({.fd = fd, .proc_path = {}}, node, what);
}

Status TargetMetadata::apply_at(int folder, const std::string& name, const Node& node) const {
  const UniqueFd fd(::openat(folder, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno_error(errno, "open");
  return apply_to({.fd = fd.get(), .proc_path = "/proc/self/fd/" + std::to_string(fd.get())}, node,
                  What());
}

// Calls that would change nothing are not made: each is a turn in the file system's journal.
Status TargetMetadata::apply_to(const Object& object, const Node& node, What what) const {
  struct stat now {};
  if (::fstatat(object.fd, "", &now, AT_EMPTY_PATH) != 0) {
    return errno_error(errno, "look at it");
  }
  std::optional<Error> first_error;
  const auto note = [&](int errno_value, const char* doing) {
    if (!is_root_ && (errno_value == EPERM || errno_value == EACCES)) return;
    if (!first_error) first_error = errno_error(errno_value, doing);
  };
  const uid_t uid = owner(node);
  const gid_t gid = group(node);
  bool mode_may_have_changed = false;
  if (now.st_uid != uid || now.st_gid != gid) {
    mode_may_have_changed = true;  // the kernel takes setuid and setgid away
    if (object.change_owner(uid, gid) != 0) note(errno, "set the owner");
  }
  if (Result<bool> changed = set_xattrs(object, node); !changed) {
    mode_may_have_changed = true;
    if (!first_error) first_error = std::move(changed).error();
  } else if (*changed) {
    mode_may_have_changed = true;  // an ACL says what the group may
  }
  const std::array<timespec, 2> times = {to_timespec(node.atime), to_timespec(node.mtime)};
  if (what.times && !(equal(now.st_atim, times[0]) && equal(now.st_mtim, times[1]))) {
    if (object.change_times(times) != 0) note(errno, "set the times");
  }
  const mode_t mode = node.permissions;
  if (node.type != NodeType::kSymlink && (mode_may_have_changed || (now.st_mode & 07777) != mode)) {
    if (object.change_mode(mode) != 0) note(errno, "set the mode");
  }
  if (first_error) return std::move(*first_error);
  return {};
}

// True if there was something to change.
Result<bool> TargetMetadata::set_xattrs(const Object& object, const Node& node) const {
  const auto refused = [&](int errno_value) {
    return !means_no_xattrs(errno_value) &&
           (is_root_ || (errno_value != EPERM && errno_value != EACCES));
  };
  const std::optional<std::string> names = object.xattr_names();
  if (!names) {
    if (!refused(errno)) return false;
    return errno_error(errno, "list the extended attributes");
  }
  bool changed = false;
  std::optional<Error> impossible;
  for (const ExtendedAttribute& wanted : node.xattrs) {
    if (select_xattr_ && !select_xattr_(wanted.name)) continue;
    if (holds_zero_byte(wanted.name)) {
      impossible =
          Error(ErrorKind::kUnsupported, "set the extended attribute " + log::quoted(wanted.name) +
                                             ": no attribute's name can hold a zero byte");
      continue;
    }
    const std::string name(wanted.name);
    if (!names->empty() && object.has_xattr(name.c_str(), wanted.value)) continue;
    changed = true;
    if (object.set_xattr(name.c_str(), wanted.value) != 0 && refused(errno)) {
      return errno_error(errno, "set the extended attribute " + name);
    }
  }
  for (std::size_t begin = 0; begin < names->size();) {
    const char* const name = names->c_str() + begin;
    const std::string_view there(name);
    begin += there.size() + 1;
    bool wanted = false;
    for (const ExtendedAttribute& each : node.xattrs) wanted |= each.name == there;
    if (select_xattr_ && !select_xattr_(there)) wanted = true;
    if (wanted) continue;
    changed = true;
    if (object.remove_xattr(name) != 0 && refused(errno)) {
      return errno_error(errno, "remove the extended attribute " + std::string(there));
    }
  }
  if (impossible) return std::move(*impossible);
  return changed;
}

std::uint32_t TargetMetadata::owner(const Node& node) const {
  if (!ownership_by_name_ || node.user.empty()) return node.uid;
  auto names = names_.lock();
  const auto known = names->users.find(node.user);
  if (known != names->users.end()) return known->second;
  std::string name(node.user);
  const std::uint32_t id = id_of_user(name, node.uid);
  return names->users.emplace(std::move(name), id).first->second;
}

std::uint32_t TargetMetadata::group(const Node& node) const {
  if (!ownership_by_name_ || node.group.empty()) return node.gid;
  auto names = names_.lock();
  const auto known = names->groups.find(node.group);
  if (known != names->groups.end()) return known->second;
  std::string name(node.group);
  const std::uint32_t id = id_of_group(name, node.gid);
  return names->groups.emplace(std::move(name), id).first->second;
}

}  // namespace restree
