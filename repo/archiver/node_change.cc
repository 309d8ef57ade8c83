#include "repo/archiver/node_change.h"

namespace restree {
namespace {

bool is_same_time(const Timestamp& before, const struct timespec& now) {
  return before.seconds == now.tv_sec &&
         before.nanoseconds == static_cast<std::uint32_t>(now.tv_nsec);
}

}  // namespace

bool is_content_unchanged(const Node& before, const struct stat& now, const ChangeDetection& how) {
  return before.type == NodeType::kFile && before.size == static_cast<std::uint64_t>(now.st_size) &&
         is_same_time(before.mtime, now.st_mtim) &&
         (how.ignore_ctime || how.ignore_inode || is_same_time(before.ctime, now.st_ctim)) &&
         (how.ignore_inode || before.inode == now.st_ino);
}

}  // namespace restree
