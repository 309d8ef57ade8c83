#include "tests/support/folding.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <string>

namespace {

std::atomic<bool> is_folded = false;

// The name of fstatat64() in the C library. On 32-bit processors its calls with seconds of 64 bits
// have names of their own.
constexpr const char* kFstatat = sizeof(long) == 4 ? "__fstatat64_time64" : "fstatat64";

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int real_openat(int folder, const char* name, int flags, mode_t mode) {
  static const auto real = next<int (*)(int, const char*, int, ...)>("openat64");
  return real(folder, name, flags, mode);
}

// The name of the entry that is meant; the name itself if there is no such entry.
std::string entry_of(int folder, const char* name) {
  const bool is_plain = std::strchr(name, '/') == nullptr && std::strcmp(name, ".") != 0;
  if (!is_folded || folder == AT_FDCWD || !is_plain) return name;
  const int before = errno;
  std::string found = name;
  const int fd = real_openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  if (DIR* const directory = fd < 0 ? nullptr : ::fdopendir(fd)) {
    while (const dirent* const entry = ::readdir(directory)) {
      if (::strcasecmp(&entry->d_name[0], name) == 0) found = &entry->d_name[0];
    }
    ::closedir(directory);
  }
  errno = before;
  return found;
}

}  // namespace

extern "C" {

int openat64(int folder, const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return real_openat(folder, entry_of(folder, name).c_str(), flags, mode);
}
int fstatat64(int folder, const char* name, struct stat64* into, int flags) {
  static const auto real = next<int (*)(int, const char*, struct stat64*, int)>(kFstatat);
  return real(folder, entry_of(folder, name).c_str(), into, flags);
}
int mkdirat(int folder, const char* name, mode_t mode) {
  static const auto real = next<int (*)(int, const char*, mode_t)>("mkdirat");
  return real(folder, entry_of(folder, name).c_str(), mode);
}
int symlinkat(const char* target, int folder, const char* name) {
  static const auto real = next<int (*)(const char*, int, const char*)>("symlinkat");
  return real(target, folder, entry_of(folder, name).c_str());
}
int unlinkat(int folder, const char* name, int flags) {
  static const auto real = next<int (*)(int, const char*, int)>("unlinkat");
  return real(folder, entry_of(folder, name).c_str(), flags);
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  static const auto real = next<int (*)(int, const char*, int, const char*, int)>("linkat");
  return real(from_folder, entry_of(from_folder, from).c_str(), to_folder,
              entry_of(to_folder, to).c_str(), flags);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  static const auto real = next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  return real(from_folder, entry_of(from_folder, from).c_str(), to_folder,
              entry_of(to_folder, to).c_str(), flags);
}
}

namespace restree::testing {

FoldedCase::FoldedCase() { is_folded = true; }
FoldedCase::~FoldedCase() { is_folded = false; }

}  // namespace restree::testing
