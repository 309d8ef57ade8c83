// The folder to which a command restores.
#pragma once

#include <string>

#include "repo/base/result.h"

namespace restree {

// Absolute, without dots, and without a slash at the end.
Result<std::string> absolute_target(const std::string& words);

}  // namespace restree
