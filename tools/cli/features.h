// restic's feature flags, which RESTIC_FEATURES switches on and off. Restree has no such features; a
// variable that restic refuses is refused all the same, since it is a mistake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "repo/base/result.h"

namespace restree {

// Checks a text like "name,name=false". Returns what to warn of, in restic's words. kInvalid: a
// name that restic 0.19 does not know, or a value that is not a boolean.
Result<std::vector<std::string>> check_features(std::string_view text);
// The same for the variable of the environment.
Result<std::vector<std::string>> check_features_of_environment();

}  // namespace restree
