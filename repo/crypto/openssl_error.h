// OpenSSL's last error as words. For the .cc files of this room.
#pragma once

#include <string>
#include <string_view>

#include "repo/base/result.h"

namespace restree {

// kLocalIo: what OpenSSL refuses with inputs checked before is the local machine's fault (memory,
// or a configuration without the algorithm). Empties OpenSSL's queue of errors for this thread.
Error openssl_error(std::string_view doing);

}  // namespace restree
