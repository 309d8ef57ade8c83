// Tells what this process has made in the target from what others may have put there.
//
// Mostly its entries have its user as owner and the mode that was asked for. Some file systems give
// entries an owner or a mode of their own (vfat, NFS that takes root for nobody): there a file is
// made for a moment, to see which.
// Ownership: what was seen, by file system. Threads: any.
// Errors:    none; where no file can be made, an entry counts as put there by others.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <map>
#include <optional>

#include "repo/base/guarded.h"
#include "repo/base/unique_fd.h"

namespace restree {

class OwnEntries {
 public:
  // `may_make_files`: false for a dry run.
  explicit OwnEntries(bool may_make_files);

  // An entry of `folder` with these attributes was made by this user for itself alone: no other can
  // change it.
  bool are_private(const UniqueFd& folder, const struct stat& attributes);
  // What this user makes in `folder` has this owner.
  bool are_of(const UniqueFd& folder, uid_t owner);

 private:
  struct Seen {
    uid_t owner;
    bool keeps_modes;
  };
  std::optional<Seen> seen_in(const UniqueFd& folder);

  const uid_t user_;
  const bool may_make_files_;
  Guarded<std::map<dev_t, Seen>> seen_;
};

}  // namespace restree
