// OpenSSL's last error as words. For the .cc files of this room.
#pragma once

#include <string>
#include <string_view>

#include "repo/base/result.h"

namespace restree {

// kLocalIo: inputs are checked before, so a failure is the local machine's fault (no memory,
// or a configuration without the algorithm). Empties OpenSSL's queue of errors for this thread.
Error openssl_error(std::string_view doing);

}  // namespace restree
