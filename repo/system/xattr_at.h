// Extended attributes of an entry of an open folder, by its name; a symbolic link is not followed.
//
// Linux has system calls for this from 6.13 on. Before, a path through /proc/self/fd leads to the
// entry; and where /proc is not mounted, as in a rescue system, the calling thread goes into the
// folder for the length of the call.
// Threads: any. The last way gives the calling thread a working folder that it no longer shares
//          with the process's other threads; it is the same folder after the call.
// Errors:  errno, as of llistxattr(2), lgetxattr(2), lsetxattr(2), lremovexattr(2).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace restree {

// In the order in which they are tried. A test begins with a later one.
enum class XattrWay : std::uint8_t { kSystemCall, kProc, kWorkingFolder };

class XattrsAt {
 public:
  // `folder`: a descriptor, or AT_FDCWD. Descriptor and name outlive this object.
  XattrsAt(int folder, const std::string& name, XattrWay first = XattrWay::kSystemCall)
      : folder_(folder), name_(name), first_(first) {}

  ssize_t list(char* into, std::size_t room) const;
  ssize_t get(const char* xattr, char* into, std::size_t room) const;
  int set(const char* xattr, std::string_view value) const;
  int remove(const char* xattr) const;

 private:
  bool has_system_calls() const;
  template <class Call>
  auto by_path(Call call) const;

  const int folder_;
  const std::string& name_;
  const XattrWay first_;
};

}  // namespace restree
