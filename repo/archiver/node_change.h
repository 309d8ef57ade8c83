// Whether the content of a file has changed since the previous backup.
//
// Pure functions; any thread. Format: restic's change detection.
#pragma once

#include <sys/stat.h>

#include "repo/format/tree.h"

namespace restree {

struct ChangeDetection {
  bool ignore_ctime = false;
  bool ignore_inode = false;  // and with it ctime
};

// False if the file's content has to be read again.
bool is_content_unchanged(const Node& before, const struct stat& now, const ChangeDetection& how);

}  // namespace restree
