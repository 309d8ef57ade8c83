#include "repo/restorer/entry_identity.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cstdint>

namespace restree {
namespace {

bool has_lasting_numbers(int fd) {
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return true;
  switch (static_cast<std::uint32_t>(system.f_type)) {
    case FUSE_SUPER_MAGIC:
    case MSDOS_SUPER_MAGIC:
    case EXFAT_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case V9FS_MAGIC:
    case OVERLAYFS_SUPER_MAGIC:  // when it copies a file of a lower layer
      return false;
    default:
      return true;
  }
}

}  // namespace

bool is_same_entry(int fd, const struct stat& now, const EntryIdentity& then) {
  const EntryIdentity found = EntryIdentity::of(now);
  return found == then || (found.owner == then.owner && !has_lasting_numbers(fd));
}

}  // namespace restree
