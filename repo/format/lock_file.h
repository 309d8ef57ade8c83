// A lock file: who works with the repository, since when, and whether alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/text/timestamp.h"

namespace restree {

// Where the holder of a lock runs, so that others can be sure whether it still does: a process
// number alone means nothing in another container or after a restart. Only Restree writes this;
// restic ignores the field.
struct LockPlace {
  std::string boot_id;            // the kernel's, new with each start
  std::string machine;            // stands for the machine; empty: not known
  std::string pid_namespace;      // "device:inode"
  std::string time_namespace;     // "device:inode"; empty: the kernel has none
  std::uint64_t start_ticks = 0;  // when the process began, in ticks since the start of the machine

  bool operator==(const LockPlace&) const = default;
};

struct LockFile {
  Timestamp time;
  bool exclusive = false;
  std::string hostname;
  std::string username;
  std::uint32_t pid = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::optional<LockPlace> place = {};  // nullopt: restic's, or the holder could not tell
};

// kCorrupt: not JSON of that shape, or without a time.
Result<LockFile> parse_lock_file(ByteView json);

std::string write_lock_file(const LockFile& lock);

}  // namespace restree
