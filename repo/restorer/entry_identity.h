// Which entry of the target a descriptor or a name leads to, to notice that another has taken its
// place.
//
// A file system gives the number of a removed entry to the next one that anybody makes. So the
// owner belongs to it: where others can put an entry, they cannot put one of this owner.
// Some file systems make up a new number when the kernel has forgotten an entry (FUSE, vfat, SMB). So
// the number counts only where it is known to last, and otherwise the owner alone.
// Ownership: a value of its own. Threads: any.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

namespace restree {

struct EntryIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  uid_t owner = 0;

  static EntryIdentity of(const struct stat& attributes) {
    return {.device = attributes.st_dev, .inode = attributes.st_ino, .owner = attributes.st_uid};
  }
  bool operator==(const EntryIdentity&) const = default;
};

// Whether `now`, the attributes of an entry near `fd`, are those of the entry that was `then`.
bool is_same_entry(int fd, const struct stat& now, const EntryIdentity& then);

}  // namespace restree
