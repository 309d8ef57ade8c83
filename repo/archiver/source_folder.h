// Opens a directory that is backed up, without following a symbolic link, and lists it.
//
// Threads: any. Errors: kNotFound, kDenied, kLocalIo, naming the path.
#pragma once

#include <string>
#include <vector>

#include "repo/archiver/source_node.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// Opened so that reading the directory does not change its access time, where that is permitted.
Result<UniqueFd> open_source_folder(const SourcePlace& place, const std::string& path);

// The names in the folder, sorted as in trees: by unsigned bytes.
Result<std::vector<std::string>> names_in_folder(const UniqueFd& folder, const std::string& path);

}  // namespace restree
