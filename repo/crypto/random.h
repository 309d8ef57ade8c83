// Random bytes that nobody can guess.
#pragma once

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Threads: any. kLocalIo: neither OpenSSL nor /dev/urandom has a source of randomness.
Status fill_random(MutableByteView bytes);

}  // namespace restree
