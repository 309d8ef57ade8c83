#include "fs/attributes.h"

#include <algorithm>
#include <limits>

#include "fs/ahead/read_plan.h"

namespace restree {
namespace {

constexpr std::uint64_t kBlockBytes = 512;  // what st_blocks counts
// A directory that was stored without a mode can be entered all the same.
constexpr mode_t kModeWhereNoneWasStored = 0555;

mode_t type_bits(NodeType type) {
  switch (type) {
    case NodeType::kFile:
      return S_IFREG;
    case NodeType::kDirectory:
      return S_IFDIR;
    case NodeType::kSymlink:
      return S_IFLNK;
    case NodeType::kBlockDevice:
      return S_IFBLK;
    case NodeType::kCharDevice:
      return S_IFCHR;
    case NodeType::kFifo:
      return S_IFIFO;
    case NodeType::kSocket:
      return S_IFSOCK;
  }
  return S_IFREG;
}

// The nearest that the type holds, which has 32 bits on some processors.
nlink_t link_count(std::uint64_t links) {
  using Limits = std::numeric_limits<nlink_t>;
  return static_cast<nlink_t>(std::clamp<std::uint64_t>(links, 1, Limits::max()));
}

timespec to_timespec(Timestamp time) {
  timespec shown{};
  shown.tv_sec = time.seconds;
  shown.tv_nsec = static_cast<decltype(shown.tv_nsec)>(time.nanoseconds);
  return shown;
}

}  // namespace

struct stat attributes_of(const Node& node, std::uint64_t inode, std::uint64_t file_size,
                          const Ownership& ownership, std::optional<std::uint64_t> zero_blobs) {
  struct stat shown {};
  const bool is_directory = node.type == NodeType::kDirectory;
  const mode_t permissions =
      is_directory && !node.has_mode ? kModeWhereNoneWasStored : node.permissions;
  shown.st_ino = inode;
  shown.st_mode = type_bits(node.type) | (permissions & ~ownership.umask);
  // One for a directory says that links are not counted (as Btrfs does), not that it is a leaf.
  shown.st_nlink = is_directory ? 1 : link_count(node.links);
  shown.st_uid = ownership.uid.value_or(node.uid);
  shown.st_gid = ownership.gid.value_or(node.gid);
  shown.st_blksize = kPreferredIoBytes;
  if (node.type == NodeType::kFile) {
    shown.st_size = static_cast<off_t>(file_size);
    if (!zero_blobs) zero_blobs = count_zero_blobs(node.content);
    const std::uint64_t holes = *zero_blobs * kZeroBlobBytes;
    const std::uint64_t stored = file_size - std::min(file_size, holes);
    shown.st_blocks = static_cast<blkcnt_t>((stored + kBlockBytes - 1) / kBlockBytes);
  } else if (node.type == NodeType::kSymlink) {
    shown.st_size = static_cast<off_t>(node.link_target.size());
  } else if (node.type == NodeType::kBlockDevice || node.type == NodeType::kCharDevice) {
    shown.st_rdev = node.device;
  }
  shown.st_mtim = to_timespec(node.mtime);
  shown.st_atim = to_timespec(node.atime);
  shown.st_ctim = to_timespec(node.ctime);
  return shown;
}

struct stat attributes_of(const VirtualNode& node, std::uint32_t generation,
                          const Ownership& ownership) {
  struct stat shown {};
  shown.st_ino = node.inode;
  shown.st_nlink = 1;
  shown.st_uid = ownership.uid.value_or(ownership.mounted_by_uid);
  shown.st_gid = ownership.gid.value_or(ownership.mounted_by_gid);
  shown.st_blksize = kPreferredIoBytes;
  Timestamp time = node.time;
  if (node.kind == VirtualNode::Kind::kSymlink) {
    shown.st_mode = S_IFLNK | 0777;
    shown.st_size = static_cast<off_t>(node.target.size());
  } else {
    shown.st_mode = S_IFDIR | (0755 & ~ownership.umask);
  }
  if (node.kind == VirtualNode::Kind::kDirectory) time.nanoseconds = generation % 1'000'000'000;
  shown.st_mtim = shown.st_atim = shown.st_ctim = to_timespec(time);
  return shown;
}

}  // namespace restree
