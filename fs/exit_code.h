// The exit codes that scripts written for restic know.
#pragma once

#include <cstdio>

#include "repo/base/result.h"

namespace restree {

constexpr int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return 10;  // no repository there
    case ErrorKind::kLocked:
      return 11;
    case ErrorKind::kWrongPassword:
      return 12;
    case ErrorKind::kCancelled:
      return 130;
    default:
      return 1;
  }
}

// Tells a person what went wrong, and returns the exit code for it.
inline int complain(const Error& error) {
  std::fprintf(stderr, "restreefs: %s\n", error.for_people().c_str());
  return exit_code_of(error.kind());
}

}  // namespace restree
