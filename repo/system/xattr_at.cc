#include "repo/system/xattr_at.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "repo/base/unique_fd.h"

namespace restree {
namespace {

// The same for every processor; Debian 12's headers do not have them.
constexpr long kSetXattrAt = 463;
constexpr long kGetXattrAt = 464;
constexpr long kListXattrAt = 465;
constexpr long kRemoveXattrAt = 466;

// The kernel's struct xattr_args.
struct alignas(8) XattrArgs {
  std::uint64_t value;
  std::uint32_t size;
  std::uint32_t flags;
};

// Whether the kernel has the call, and no filter of a container refuses it: flags that do not exist
// are then what is wrong with it.
bool has_call(long number) {
  constexpr unsigned kNoSuchFlags = ~0U;
  return ::syscall(number, AT_FDCWD, ".", kNoSuchFlags, nullptr, nullptr, 0) < 0 && errno == EINVAL;
}

bool kernel_has_calls() {
  static const bool has = has_call(kListXattrAt) && has_call(kGetXattrAt) &&
                          has_call(kSetXattrAt) && has_call(kRemoveXattrAt);
  return has;
}

bool is_proc_there() {
  static const bool is = ::access("/proc/self/fd", X_OK) == 0;
  return is;
}

// While it lives, `folder` is the working folder of this thread, and of no other.
class InFolder {
 public:
  explicit InFolder(int folder) {
    static thread_local const bool is_own = ::unshare(CLONE_FS) == 0;
    if (!is_own) return;
    before_ = UniqueFd(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (before_ && ::fchdir(folder) != 0) before_.reset();
  }
  ~InFolder() {
    const int failure = errno;  // of the call made meanwhile
    if (before_) static_cast<void>(::fchdir(before_.get()) == 0);
    errno = failure;
  }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

  explicit operator bool() const { return bool(before_); }

 private:
  UniqueFd before_;
};

}  // namespace

bool XattrsAt::has_system_calls() const {
  return first_ == XattrWay::kSystemCall && kernel_has_calls();
}

template <class Call>
auto XattrsAt::by_path(Call call) const {
  if (folder_ == AT_FDCWD) return call(name_.c_str());
  if (first_ != XattrWay::kWorkingFolder && is_proc_there()) {
    return call(("/proc/self/fd/" + std::to_string(folder_) + "/" + name_).c_str());
  }
  const InFolder here(folder_);
  if (!here) return decltype(call(""))(-1);
  return call(name_.c_str());
}

ssize_t XattrsAt::list(char* into, std::size_t room) const {
  if (has_system_calls()) {
    return ::syscall(kListXattrAt, folder_, name_.c_str(), AT_SYMLINK_NOFOLLOW, into, room);
  }
  return by_path([&](const char* path) { return ::llistxattr(path, into, room); });
}

ssize_t XattrsAt::get(const char* xattr, char* into, std::size_t room) const {
  if (has_system_calls()) {
    XattrArgs args{.value = reinterpret_cast<std::uintptr_t>(into),
                   .size = static_cast<std::uint32_t>(room),
                   .flags = 0};
    return ::syscall(kGetXattrAt, folder_, name_.c_str(), AT_SYMLINK_NOFOLLOW, xattr, &args,
                     sizeof args);
  }
  return by_path([&](const char* path) { return ::lgetxattr(path, xattr, into, room); });
}

int XattrsAt::set(const char* xattr, std::string_view value) const {
  if (has_system_calls()) {
    const XattrArgs args{.value = reinterpret_cast<std::uintptr_t>(value.data()),
                         .size = static_cast<std::uint32_t>(value.size()),
                         .flags = 0};
    return static_cast<int>(::syscall(kSetXattrAt, folder_, name_.c_str(), AT_SYMLINK_NOFOLLOW,
                                      xattr, &args, sizeof args));
  }
  return by_path(
      [&](const char* path) { return ::lsetxattr(path, xattr, value.data(), value.size(), 0); });
}

int XattrsAt::remove(const char* xattr) const {
  if (has_system_calls()) {
    return static_cast<int>(
        ::syscall(kRemoveXattrAt, folder_, name_.c_str(), AT_SYMLINK_NOFOLLOW, xattr));
  }
  return by_path([&](const char* path) { return ::lremovexattr(path, xattr); });
}

}  // namespace restree
