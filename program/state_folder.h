// The folder for what the programs keep on this machine and cannot make anew.
#pragma once

#include <string>

#include "repo/base/result.h"

namespace restree {

// restree in $XDG_STATE_HOME, or else in ~/.local/state; absolute. It may not be there yet. Threads: as
// environment_variable(). kInvalid: neither that variable nor a home folder is known.
Result<std::string> state_folder();

}  // namespace restree
