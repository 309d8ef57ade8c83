// A directory being read, that closes itself.
#pragma once

#include <dirent.h>

#include <memory>

namespace restree {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
// Null where opendir(3) or fdopendir(3) failed.
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace restree
