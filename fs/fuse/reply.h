// Answers one request of the kernel exactly once, whatever path the code takes; the one place where
// a failure becomes an errno.
#pragma once

#include <fuse_lowlevel.h>

#include <cerrno>
#include <memory>
#include <span>
#include <string_view>

#include "fs/fuse/interrupts.h"
#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Damage and a dead line are both EIO: a program must never take them for a missing file.
constexpr int to_errno(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return ENOENT;
    case ErrorKind::kInvalid:
      return EINVAL;
    case ErrorKind::kUnsupported:
      return EOPNOTSUPP;
    case ErrorKind::kCorrupt:
    case ErrorKind::kUnavailable:
    case ErrorKind::kDenied:
    case ErrorKind::kNoRepository:
    case ErrorKind::kWrongPassword:
    case ErrorKind::kLocked:
    case ErrorKind::kCancelled:
    case ErrorKind::kLocalIo:
      return EIO;
  }
  return EIO;
}

// Threads: the one that serves the request. Whoever asked may be killed meanwhile: then the request
// is answered from elsewhere (interrupts.h), and what is said here goes nowhere.
class Reply {
 public:
  Reply(fuse_req_t request, Interrupts& interrupts);
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply();  // a forgotten path, or an exception: EIO

  void error(const Error& failure) { errno_value(to_errno(failure.kind())); }
  void errno_value(int value);
  // False: the kernel did not take it (the caller was interrupted), and no reference counts.
  bool entry(const fuse_entry_param& entry);
  void attributes(const struct stat& attributes, double valid_seconds);
  void link(const char* target);
  // False as above.
  bool data(std::string_view bytes);
  void data(std::span<const ByteView> slices);
  void xattr_size(std::size_t size);
  void offset(off_t offset);
  void figures(const struct statvfs& figures);
  void opened(const fuse_file_info& file);

 private:
  // The request, or nullptr if it was answered already.
  fuse_req_t take();
  std::shared_ptr<PendingRequest> pending_;
};

}  // namespace restree
