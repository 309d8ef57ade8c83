// The place of an entry in a folder of the target, and how a new entry takes it: made beside the old
// one, which stays until the new one is whole.
//
// Threads: any. Errors: kLocalIo, kDenied, with the path; the old entry is then where it was.
#pragma once

#include <string>

#include "repo/base/result.h"
#include "repo/base/unique_fd.h"

namespace restree {

// For an entry that does not stay: ".restree-" and numbers that no other run has.
std::string unused_name();

// Whether take_place() can succeed, as far as that can be told beforehand.
Status check_place(const UniqueFd& folder, const std::string& name, const std::string& path,
                   bool remove_folder);

// Moves the entry `made`, which is not a folder, from `from` to `name` in `folder`, in place of what is
// there. Of a folder in its place only an empty one gives way, or with `remove_folder` any, with all
// that lies in it. `path`: of the place.
Status take_place(const UniqueFd& from, const std::string& made, const UniqueFd& folder,
                  const std::string& name, const std::string& path, bool remove_folder);

// Makes a folder for the owner alone in the place of an entry that is not a folder.
Status make_folder_in_place(const UniqueFd& folder, const std::string& name, mode_t mode,
                            const std::string& path);

}  // namespace restree
