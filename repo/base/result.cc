#include "repo/base/result.h"

#include <cerrno>
#include <cstring>
#include <system_error>

namespace restree {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return "not found";
    case ErrorKind::kCorrupt:
      return "corrupt";
    case ErrorKind::kUnavailable:
      return "unavailable";
    case ErrorKind::kDenied:
      return "denied";
    case ErrorKind::kNoRepository:
      return "no repository";
    case ErrorKind::kWrongPassword:
      return "wrong password";
    case ErrorKind::kLocked:
      return "locked";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kInvalid:
      return "invalid";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kLocalIo:
      return "local i/o";
  }
  return "unknown";
}

Error Error::with(std::string_view doing) && {
  message_.insert(0, std::string(doing) + ": ");
  return std::move(*this);
}

Error Error::hinting(std::string hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

std::string Error::for_people() const {
  return hint_.empty() ? message_ : message_ + "\n  " + hint_;
}

Error errno_error(int errno_value, std::string_view doing) {
  ErrorKind kind = ErrorKind::kLocalIo;
  if (errno_value == ENOENT) kind = ErrorKind::kNotFound;
  if (errno_value == EACCES || errno_value == EPERM) kind = ErrorKind::kDenied;
  return {kind, std::string(doing) + ": " + std::generic_category().message(errno_value)};
}

}  // namespace restree
