#include "repo/restorer/target_metadata.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/format/node_name.h"
#include "repo/system/xattr_at.h"

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

// An open file or folder, or an entry that is reached by its name in a private folder. By name no
// call follows a link.
struct TargetMetadata::Object {
  int fd;            // of the item, or of the folder that holds it
  std::string name;  // empty: the descriptor itself is meant

  bool is_open() const { return name.empty(); }
  XattrsAt xattrs() const { return {fd, name}; }

  int look(struct stat& into) const {
    return is_open() ? ::fstat(fd, &into) : ::fstatat(fd, name.c_str(), &into, AT_SYMLINK_NOFOLLOW);
  }
  int change_owner(uid_t uid, gid_t gid) const {
    return is_open() ? ::fchown(fd, uid, gid)
                     : ::fchownat(fd, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW);
  }
  int change_mode(mode_t mode) const {
    if (is_open()) return ::fchmod(fd, mode);
    constexpr long kFchmodAt2 = 452;  // since Linux 6.6, the same for every processor
    const long changed = ::syscall(kFchmodAt2, fd, name.c_str(), mode, AT_SYMLINK_NOFOLLOW);
    // EPERM is the answer of a container's system call filter to calls that it does not know.
    if (changed == 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(changed);
    // Links have no mode, and nothing else can have taken the place of what was made in there.
    return ::fchmodat(fd, name.c_str(), mode, 0);
  }
  int change_times(const std::array<timespec, 2>& times) const {
    return is_open() ? ::futimens(fd, times.data())
                     : ::utimensat(fd, name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  }
  ssize_t list_xattrs(char* into, std::size_t size) const {
    return is_open() ? ::flistxattr(fd, into, size) : xattrs().list(into, size);
  }
  ssize_t get_xattr(const char* xattr, char* into, std::size_t size) const {
    return is_open() ? ::fgetxattr(fd, xattr, into, size) : xattrs().get(xattr, into, size);
  }
  int set_xattr(const char* xattr, std::string_view value) const {
    return is_open() ? ::fsetxattr(fd, xattr, value.data(), value.size(), 0)
                     : xattrs().set(xattr, value);
  }
  int remove_xattr(const char* xattr) const {
    return is_open() ? ::fremovexattr(fd, xattr) : xattrs().remove(xattr);
  }
  bool has_xattr(const char* xattr, std::string_view value) const {
    std::string there(value.size() + 1, '\0');
    const ssize_t size = get_xattr(xattr, there.data(), there.size());
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

struct TargetMetadata::XattrChange {
  std::string name;
  std::optional<std::string_view> value;  // nullopt: it is removed
};

// What could not be set: the first reason, and how many there are.
class TargetMetadata::Notes {
 public:
  explicit Notes(bool is_root) : is_root_(is_root) {}

  void add(Error error) {
    ++count_;
    if (!first_) first_ = std::move(error);
  }
  // Does not count what only root may do, unless root was refused.
  void add(int errno_value, const std::string& doing) {
    if (!is_root_ && (errno_value == EPERM || errno_value == EACCES)) return;
    add(errno_error(errno_value, doing));
  }
  Status status() && {
    if (!first_ || count_ == 1) return first_ ? Status(std::move(*first_)) : Status();
    return Error(first_->kind(), first_->message() + "; and " + std::to_string(count_ - 1) +
                                     " more of its attributes could not be set")
        .hinting(first_->hint());
  }

 private:
  const bool is_root_;
  std::optional<Error> first_;
  unsigned count_ = 0;
};

TargetMetadata::TargetMetadata(bool ownership_by_name,
                               std::function<bool(std::string_view)> select_xattr)
    : ownership_by_name_(ownership_by_name),
      select_xattr_(std::move(select_xattr)),
      is_root_(::geteuid() == 0) {}

Status TargetMetadata::apply(int fd, const Node& node, What what) const {
  return apply_to({.fd = fd, .name = {}}, node, what);
}

Status TargetMetadata::apply_in(const UniqueFd& folder, const std::string& name,
                                const Node& node) const {
  return apply_to({.fd = folder.get(), .name = name}, node, What());
}

bool TargetMetadata::has_access_of(int fd, const Node& node) const {
  const Object object{.fd = fd, .name = {}};
  struct stat now {};
  Notes notes(is_root_);
  return object.look(now) == 0 && now.st_uid == owner(node) && now.st_gid == group(node) &&
         (now.st_mode & 07777) == node.permissions && xattr_changes(object, node, notes).empty();
}

// Calls that would change nothing are not made: each is a turn in the file system's journal.
Status TargetMetadata::apply_to(const Object& object, const Node& node, What what) const {
  struct stat now {};
  if (object.look(now) != 0) return errno_error(errno, "look at it");
  Notes notes(is_root_);
  const uid_t uid = owner(node);
  const gid_t gid = group(node);
  bool mode_may_have_changed = false;
  if (now.st_uid != uid || now.st_gid != gid) {
    mode_may_have_changed = true;  // the kernel takes setuid and setgid away
    if (object.change_owner(uid, gid) != 0) notes.add(errno, "set the owner");
  }
  if (set_xattrs(object, node, notes)) mode_may_have_changed = true;  // an ACL says what groups may
  const std::array<timespec, 2> times = {to_timespec(node.atime), to_timespec(node.mtime)};
  if (what.times && !(equal(now.st_atim, times[0]) && equal(now.st_mtim, times[1]))) {
    if (object.change_times(times) != 0) notes.add(errno, "set the times");
  }
  const mode_t mode = node.permissions;
  if (node.type != NodeType::kSymlink && (mode_may_have_changed || (now.st_mode & 07777) != mode)) {
    if (object.change_mode(mode) != 0) notes.add(errno, "set the mode");
  }
  return std::move(notes).status();
}

// True if there was something to change. One that fails does not keep the next from being set.
bool TargetMetadata::set_xattrs(const Object& object, const Node& node, Notes& notes) const {
  const std::vector<XattrChange> changes = xattr_changes(object, node, notes);
  for (const XattrChange& change : changes) {
    const int result = change.value ? object.set_xattr(change.name.c_str(), *change.value)
                                    : object.remove_xattr(change.name.c_str());
    if (result == 0 || means_no_xattrs(errno)) continue;
    notes.add(errno,
              (change.value ? "set the extended attribute " : "remove the extended attribute ") +
                  log::quoted(change.name));
  }
  return !changes.empty();
}

std::vector<TargetMetadata::XattrChange> TargetMetadata::xattr_changes(const Object& object,
                                                                       const Node& node,
                                                                       Notes& notes) const {
  std::vector<XattrChange> changes;
  const std::optional<std::string> names = object.xattr_names();
  if (!names) {
    notes.add(errno, "list the extended attributes");
    return changes;
  }
  for (const ExtendedAttribute& wanted : node.xattrs) {
    if (select_xattr_ && !select_xattr_(wanted.name)) continue;
    if (holds_zero_byte(wanted.name)) {
      notes.add(Error(ErrorKind::kUnsupported, "set the extended attribute " +
                                                   log::quoted(wanted.name) +
                                                   ": no attribute's name can hold a zero byte"));
      continue;
    }
    std::string name(wanted.name);
    if (!names->empty() && object.has_xattr(name.c_str(), wanted.value)) continue;
    changes.push_back({.name = std::move(name), .value = wanted.value});
  }
  for (std::size_t begin = 0; begin < names->size();) {
    const std::string_view there(names->c_str() + begin);
    begin += there.size() + 1;
    if (select_xattr_ && !select_xattr_(there)) continue;
    const bool is_wanted = std::ranges::any_of(
        node.xattrs, [&](const ExtendedAttribute& wanted) { return wanted.name == there; });
    if (!is_wanted) changes.push_back({.name = std::string(there), .value = std::nullopt});
  }
  return changes;
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
