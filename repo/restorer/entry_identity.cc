#include "repo/restorer/entry_identity.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cstdint>

namespace restree {
namespace {

bool has_lasting_numbers(int fd) {
  constexpr std::uint32_t kZfs = 0x2fc12fc1;
  constexpr std::uint32_t kBcachefs = 0xca451a4e;
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return false;
  switch (static_cast<std::uint32_t>(system.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case F2FS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case NFS_SUPER_MAGIC:
    case kZfs:
    case kBcachefs:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_same_entry(int fd, const struct stat& now, const EntryIdentity& then) {
  const EntryIdentity found = EntryIdentity::of(now);
  return found == then || (found.owner == then.owner && !has_lasting_numbers(fd));
}

}  // namespace restree
