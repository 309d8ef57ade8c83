// A library for LD_PRELOAD that refuses one call of a program: what a system does when disk, memory,
// threads or descriptors run out.
//
//   RESTREE_REFUSE=KIND:N    the Nth call of this kind fails, counted from 1
//   RESTREE_REFUSE_COUNT=F   at its end the program writes how many calls of each kind it made to F
//
// KIND: open, write, fsync, rename, mmap, thread, malloc (of kLarge bytes or more). Only the program
// itself is counted, not those that it starts. Calls within the C library do not pass here.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

namespace {

constexpr std::size_t kLarge = 64 * 1024;

enum Kind { kOpen, kWrite, kFsync, kRename, kMmap, kThread, kMalloc, kKinds };
constexpr const char* kNames[kKinds] = {"open", "write",  "fsync", "rename",
                                        "mmap", "thread", "malloc"};

std::atomic<long> counts[kKinds];
int refused_kind = -1;
long refused_call = 0;
char count_file[4096];

__attribute__((constructor)) void begin() {
  if (const char* file = getenv("RESTREE_REFUSE_COUNT")) {
    strncpy(count_file, file, sizeof count_file - 1);
  }
  if (const char* what = getenv("RESTREE_REFUSE")) {
    for (int kind = 0; kind < kKinds; ++kind) {
      const std::size_t length = strlen(kNames[kind]);
      if (strncmp(what, kNames[kind], length) != 0 || what[length] != ':') continue;
      refused_kind = kind;
      refused_call = atol(what + length + 1);
    }
  }
  unsetenv("LD_PRELOAD");
}

// What the kernel asks of a file system it also takes the answer to.
bool is_fuse(int fd) {
  struct stat attributes {};
  constexpr unsigned kMiscellaneous = 10;
  constexpr unsigned kFuse = 229;
  return fstat(fd, &attributes) == 0 && S_ISCHR(attributes.st_mode) &&
         major(attributes.st_rdev) == kMiscellaneous && minor(attributes.st_rdev) == kFuse;
}

bool refuses(Kind kind) { return ++counts[kind] == refused_call && kind == refused_kind; }

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

__attribute__((destructor)) void end() {
  if (count_file[0] == '\0') return;
  char text[256];
  int length = 0;
  for (int kind = 0; kind < kKinds; ++kind) {
    length += snprintf(text + length, sizeof text - static_cast<std::size_t>(length), "%s %ld\n",
                       kNames[kind], counts[kind].load());
  }
  const int fd = next<int (*)(const char*, int, ...)>("open")(
      count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const ssize_t written = next<ssize_t (*)(int, const void*, std::size_t)>("write")(
      fd, text, static_cast<std::size_t>(length));
  static_cast<void>(written);
  close(fd);
}

}  // namespace

extern "C" {

// The C library's own functions, for allocations: dlsym() itself allocates.
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

#define REFUSE(kind, error, value) \
  if (refuses(kind)) {             \
    errno = error;                 \
    return value;                  \
  }

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  REFUSE(kOpen, EMFILE, -1);
  static const auto real = next<int (*)(const char*, int, ...)>("open");
  return real(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  REFUSE(kOpen, EMFILE, -1);
  static const auto real = next<int (*)(const char*, int, ...)>("open64");
  return real(path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  REFUSE(kOpen, EMFILE, -1);
  static const auto real = next<int (*)(int, const char*, int, ...)>("openat");
  return real(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const unsigned mode = va_arg(rest, unsigned);
  va_end(rest);
  REFUSE(kOpen, EMFILE, -1);
  static const auto real = next<int (*)(int, const char*, int, ...)>("openat64");
  return real(folder, path, flags, mode);
}

ssize_t write(int fd, const void* bytes, std::size_t size) {
  // The words on standard error are what the test looks at.
  if (fd != STDERR_FILENO && !is_fuse(fd)) {
    REFUSE(kWrite, ENOSPC, -1);
  }
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
  return real(fd, bytes, size);
}
ssize_t pwrite64(int fd, const void* bytes, std::size_t size, off64_t at) {
  REFUSE(kWrite, ENOSPC, -1);
  static const auto real = next<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
  return real(fd, bytes, size, at);
}
ssize_t writev(int fd, const iovec* pieces, int count) {
  if (!is_fuse(fd)) {
    REFUSE(kWrite, ENOSPC, -1);
  }
  static const auto real = next<ssize_t (*)(int, const iovec*, int)>("writev");
  return real(fd, pieces, count);
}

int fsync(int fd) {
  REFUSE(kFsync, EIO, -1);
  static const auto real = next<int (*)(int)>("fsync");
  return real(fd);
}
int fdatasync(int fd) {
  REFUSE(kFsync, EIO, -1);
  static const auto real = next<int (*)(int)>("fdatasync");
  return real(fd);
}

int rename(const char* from, const char* to) {
  REFUSE(kRename, EIO, -1);
  static const auto real = next<int (*)(const char*, const char*)>("rename");
  return real(from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  REFUSE(kRename, EIO, -1);
  static const auto real = next<int (*)(int, const char*, int, const char*)>("renameat");
  return real(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  REFUSE(kRename, EIO, -1);
  static const auto real = next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  return real(from_folder, from, to_folder, to, flags);
}

void* mmap(void* at, std::size_t size, int protection, int flags, int fd, off_t offset) {
  REFUSE(kMmap, ENOMEM, MAP_FAILED);
  static const auto real = next<void* (*)(void*, std::size_t, int, int, int, off_t)>("mmap");
  return real(at, size, protection, flags, fd, offset);
}
void* mmap64(void* at, std::size_t size, int protection, int flags, int fd, off64_t offset) {
  REFUSE(kMmap, ENOMEM, MAP_FAILED);
  static const auto real = next<void* (*)(void*, std::size_t, int, int, int, off64_t)>("mmap64");
  return real(at, size, protection, flags, fd, offset);
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  if (refuses(kThread)) return EAGAIN;
  static const auto real =
      next<int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
  return real(thread, attributes, start, argument);
}

void* malloc(std::size_t size) {
  if (size >= kLarge) {
    REFUSE(kMalloc, ENOMEM, nullptr);
  }
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  if (count != 0 && size >= kLarge / count) {
    REFUSE(kMalloc, ENOMEM, nullptr);
  }
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
  if (size >= kLarge) {
    REFUSE(kMalloc, ENOMEM, nullptr);
  }
  return __libc_realloc(block, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  if (size >= kLarge) {
    REFUSE(kMalloc, ENOMEM, nullptr);
  }
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** block, std::size_t alignment, std::size_t size) {
  if (size >= kLarge && refuses(kMalloc)) return ENOMEM;
  *block = __libc_memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"
