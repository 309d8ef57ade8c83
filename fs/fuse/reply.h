// Answers one request of the kernel exactly once, whatever path the code takes; the one place where
// a failure becomes an errno.
#pragma once

#include <fuse_lowlevel.h>

#include <cerrno>
#include <memory>
#include <span>
#include <string_view>

#include "fs/fuse/entry_replies.h"
#include "fs/fuse/interrupts.h"
#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Damage and a broken connection are both EIO: a program must never take them for a missing file.
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

// A reply that the kernel refuses becomes EIO as well (device_calls.h).
//
// Threads: the one that serves the request. If the program that asked is killed meanwhile, the
// request is answered from elsewhere (interrupts.h), and the answer given here is dropped.
class Reply {
 public:
  Reply(fuse_req_t request, Interrupts& interrupts);
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply();  // EIO, if nothing was answered: a code path forgot it, or an exception came

  void error(const Error& failure) { errno_value(to_errno(failure.kind())); }
  void errno_value(int value);
  // False: the kernel did not take the answer (its caller was interrupted), so that the reference
  // given with it must be taken back.
  bool entry(const ShownEntry& entry);
  void attributes(const struct statx& attributes, double valid_seconds);
  void link(const char* target);
  // False as above.
  bool data(std::string_view bytes);
  void data(std::span<const ByteView> slices);
  void xattr_size(std::size_t size);
  void offset(off_t offset);
  void figures(const struct statvfs& figures);
  void opened(const fuse_file_info& file);

 private:
  // The request, or nullptr if it has been answered.
  fuse_req_t take();
  std::shared_ptr<PendingRequest> pending_;
};

}  // namespace restree
