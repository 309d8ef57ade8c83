// Removes entries of a folder without following links, so that nothing outside of it is reached.
#pragma once

#include <fcntl.h>

#include <functional>
#include <string>
#include <vector>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// For open(2) of a folder in the target. No symbolic link is followed.
inline constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// The names in a folder, sorted, without "." and "..". `path` is for messages.
Result<std::vector<std::string>> entries_of(const UniqueFd& folder, const std::string& path);

// Removes an entry and, if it is a folder, all below it. `path` is its path; `removed` gets the
// path of each thing once it is gone, children before their folder. `dry_run`: only reports.
Status remove_entry(const UniqueFd& folder, const std::string& name, const std::string& path,
                    bool dry_run, const std::function<void(const std::string&)>& removed);

}  // namespace restree
