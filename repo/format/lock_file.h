// A lock file: who works with the repository, since when, and whether alone.
#pragma once

#include <cstdint>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/format/timestamp.h"

namespace restree {

struct LockFile {
  Timestamp time;
  bool exclusive = false;
  std::string hostname;
  std::string username;
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// kCorrupt: not JSON of that shape, or without a time.
Result<LockFile> parse_lock_file(ByteView json);

std::string write_lock_file(const LockFile& lock);

}  // namespace restree
