// How the programs end: the exit codes that scripts written for restic know.
#pragma once

#include "repo/base/result.h"

namespace restree {

enum class ExitCode : int {
  kSuccess = 0,
  kFailure = 1,
  kIncomplete = 3,  // backup: some files could not be read; forget: some snapshots not removed
  kNoRepository = 10,
  kLocked = 11,
  kWrongPassword = 12,
  kCancelled = 130,
  kBrokenPipe = 141,  // the reader of the output has gone
};

constexpr ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNoRepository:
      return ExitCode::kNoRepository;
    case ErrorKind::kLocked:
      return ExitCode::kLocked;
    case ErrorKind::kWrongPassword:
      return ExitCode::kWrongPassword;
    case ErrorKind::kCancelled:
      return ExitCode::kCancelled;
    default:
      return ExitCode::kFailure;
  }
}

constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

}  // namespace restree
