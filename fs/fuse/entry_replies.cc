#include "fs/fuse/entry_replies.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <limits>

namespace restree {
namespace {

timespec to_timespec(const statx_timestamp& time) {
  using Limits = std::numeric_limits<time_t>;
  timespec shown{};
  shown.tv_sec =
      static_cast<time_t>(std::clamp<std::int64_t>(time.tv_sec, Limits::min(), Limits::max()));
  shown.tv_nsec = static_cast<decltype(shown.tv_nsec)>(time.tv_nsec);
  return shown;
}

struct stat to_stat(const struct statx& attributes) {
  struct stat shown {};
  shown.st_ino = attributes.stx_ino;
  shown.st_mode = attributes.stx_mode;
  shown.st_nlink = attributes.stx_nlink;
  shown.st_uid = attributes.stx_uid;
  shown.st_gid = attributes.stx_gid;
  shown.st_rdev = makedev(attributes.stx_rdev_major, attributes.stx_rdev_minor);
  shown.st_size = static_cast<off_t>(attributes.stx_size);
  shown.st_blksize = static_cast<blksize_t>(attributes.stx_blksize);
  shown.st_blocks = static_cast<blkcnt_t>(attributes.stx_blocks);
  shown.st_atim = to_timespec(attributes.stx_atime);
  shown.st_mtim = to_timespec(attributes.stx_mtime);
  shown.st_ctim = to_timespec(attributes.stx_ctime);
  return shown;
}

fuse_entry_param to_parameter(const ShownEntry& entry) {
  fuse_entry_param parameter{};
  parameter.ino = static_cast<fuse_ino_t>(entry.inode);
  parameter.attr = to_stat(entry.attributes);
  parameter.attr_timeout = entry.attribute_seconds;
  parameter.entry_timeout = entry.entry_seconds;
  return parameter;
}

}  // namespace

int reply_entry(fuse_req_t request, const ShownEntry& entry) {
  const fuse_entry_param parameter = to_parameter(entry);
  return fuse_reply_entry(request, &parameter);
}

int reply_attributes(fuse_req_t request, const struct statx& attributes, double seconds) {
  const struct stat shown = to_stat(attributes);
  return fuse_reply_attr(request, &shown, seconds);
}

std::size_t add_name(fuse_req_t request, char* at, std::size_t room, const char* name,
                     const struct statx& attributes, off_t next_offset) {
  const struct stat shown = to_stat(attributes);
  return fuse_add_direntry(request, at, room, name, &shown, next_offset);
}

std::size_t add_entry(fuse_req_t request, char* at, std::size_t room, const char* name,
                      const ShownEntry& entry, off_t next_offset) {
  const fuse_entry_param parameter = to_parameter(entry);
  return fuse_add_direntry_plus(request, at, room, name, &parameter, next_offset);
}

}  // namespace restree
