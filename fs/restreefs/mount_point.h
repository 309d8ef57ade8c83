// The directory that a file system is mounted on, and whether it may be.
#pragma once

#include <string>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// The absolute path of a directory that is fit to be mounted on. A FUSE mount that died there
// (every access says "transport endpoint is not connected") is unmounted first.
// kInvalid: not a directory, not empty, a mount of restreefs already, or inside of one of the
// folders that the file system itself needs, or the other way round.
struct NeededFolder {
  std::string what;  // "repository"
  std::string path;
};
Result<std::string> prepare_mount_point(const std::string& path,
                                        const std::vector<NeededFolder>& needed);

}  // namespace restree
