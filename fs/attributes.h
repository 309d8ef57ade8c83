// Translates the metadata that a backup recorded into what stat(2) shows.
//
// Pure functions; any thread.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>

#include "fs/namespace.h"
#include "repo/format/tree.h"

namespace restree {

// How a mount changes owners and modes, and the owner of directories that are in no backup.
struct Ownership {
  std::optional<uid_t> uid;  // shown for everything, if set
  std::optional<gid_t> gid;
  mode_t umask = 0;          // mode bits that are not shown, except of the links named `latest`
  uid_t mounted_by_uid = 0;  // owner of the directories above the snapshots
  gid_t mounted_by_gid = 0;
};

// st_blksize, by which programs choose the size of their buffers.
inline constexpr blksize_t kPreferredIoBytes = 128 << 10;

// A backed-up node. `file_size`: the size of the file's FileLayout; it is used for files only.
// `zero_blobs`: how many of the file's blobs are holes, for st_blocks; if it is not given, they are
// counted here, which takes long for a file of very many blobs.
struct stat attributes_of(const Node& node, std::uint64_t inode, std::uint64_t file_size,
                          const Ownership& ownership,
                          std::optional<std::uint64_t> zero_blobs = std::nullopt);

// A directory or link above the snapshots, or the top of a snapshot that has no node of its own.
// `generation` is put into the nanoseconds of a directory's times: it changes when the entries may
// have changed, and programs that remember a listing compare times to see if it is still valid.
struct stat attributes_of(const VirtualNode& node, std::uint32_t generation,
                          const Ownership& ownership);

}  // namespace restree
