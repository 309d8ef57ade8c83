// From what a backup recorded to what stat(2) shows.
//
// Pure functions; any thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>

#include "fs/namespace.h"
#include "repo/format/tree.h"

namespace restree {

// How a mount bends owners and modes, and who owns what no backup recorded.
struct Ownership {
  std::optional<uid_t> uid;  // shown for everything, if set
  std::optional<gid_t> gid;
  mode_t umask = 0;          // mode bits never shown
  uid_t mounted_by_uid = 0;  // owner of the directories above the snapshots
  gid_t mounted_by_gid = 0;
};

// What the kernel may be told to read at a time, and what programs size their buffers by.
inline constexpr blksize_t kPreferredIoBytes = 128 << 10;

// A backed-up node. `file_size`: from its layout; ignored for all but files.
struct stat attributes_of(const Node& node, std::uint64_t inode, std::uint64_t file_size,
                          const Ownership& ownership);

// A directory or link above the snapshots, or the top of a snapshot that has no node of its own.
// `generation` is put into the nanoseconds of a directory's times: it changes when its entries
// may have, and whoever remembers a listing compares times to see if it still holds.
struct stat attributes_of(const VirtualNode& node, std::uint32_t generation,
                          const Ownership& ownership);

}  // namespace restree
