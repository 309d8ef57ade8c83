// A repository in a folder of this machine.
#pragma once

#include <memory>
#include <string>

#include "repo/storage/storage.h"

namespace restree {

// `root` as the user wrote it (relative to the current folder, if it is not absolute). Nothing is
// checked or made here: that a folder has no config shows when the config is read.
std::shared_ptr<Storage> make_local_storage(std::string root);

}  // namespace restree
