// A directory that is backed up: opened without following a link, and what it holds.
//
// Threads: any. Errors: kNotFound, kDenied, kLocalIo, naming the path.
#pragma once

#include <string>
#include <vector>

#include "repo/archiver/source_node.h"
#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// Not told by reading it that it was read, where that is allowed.
Result<UniqueFd> open_source_folder(const SourcePlace& place, const std::string& path);

// Sorted as trees are: by unsigned bytes.
Result<std::vector<std::string>> names_in_folder(const UniqueFd& folder, const std::string& path);

}  // namespace restree
