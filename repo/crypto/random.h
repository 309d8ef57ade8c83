// Random bytes that nobody can guess.
#pragma once

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Threads: any. kLocalIo: OpenSSL has no source of randomness.
Status fill_random(MutableByteView bytes);

}  // namespace restree
