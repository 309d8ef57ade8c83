// Answers one request of the kernel exactly once, whatever path the code takes; the one place where
// a failure becomes an errno.
#pragma once

#include <fuse_lowlevel.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

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
    case ErrorKind::kWrongPassword:
    case ErrorKind::kLocked:
    case ErrorKind::kCancelled:
    case ErrorKind::kLocalIo:
      return EIO;
  }
  return EIO;
}

class Reply {
 public:
  explicit Reply(fuse_req_t request) : request_(request) {}
  Reply(Reply&& other) noexcept : request_(std::exchange(other.request_, nullptr)) {}
  Reply& operator=(Reply&&) = delete;
  ~Reply() {
    if (request_ != nullptr) fuse_reply_err(request_, EIO);  // a forgotten path, or an exception
  }

  void error(const Error& failure) { fuse_reply_err(take(), to_errno(failure.kind())); }
  void errno_value(int value) { fuse_reply_err(take(), value); }
  // False: the kernel did not take it (the caller was interrupted), and no reference counts.
  bool entry(const fuse_entry_param& entry) { return fuse_reply_entry(take(), &entry) == 0; }
  void attributes(const struct stat& attributes, double valid_seconds) {
    fuse_reply_attr(take(), &attributes, valid_seconds);
  }
  void link(const char* target) { fuse_reply_readlink(take(), target); }
  void data(std::string_view bytes) { fuse_reply_buf(take(), bytes.data(), bytes.size()); }
  void data(std::span<const ByteView> slices) {
    if (slices.empty()) {
      fuse_reply_buf(take(), nullptr, 0);
      return;
    }
    std::vector<iovec> vectors;
    vectors.reserve(slices.size());
    for (const ByteView slice : slices) {
      // iovec is for reading and writing alike; this one is only read.
      vectors.push_back({const_cast<std::byte*>(slice.data()), slice.size()});
    }
    fuse_reply_iov(take(), vectors.data(), static_cast<int>(vectors.size()));
  }
  void xattr_size(std::size_t size) { fuse_reply_xattr(take(), size); }
  void offset(off_t offset) { fuse_reply_lseek(take(), offset); }
  void figures(const struct statvfs& figures) { fuse_reply_statfs(take(), &figures); }
  void opened(const fuse_file_info& file) { fuse_reply_open(take(), &file); }
  void none() { fuse_reply_none(take()); }

 private:
  fuse_req_t take() { return std::exchange(request_, nullptr); }
  fuse_req_t request_;
};

}  // namespace restree
