// SHA-256, the name of everything in a repository.
#pragma once

#include <array>
#include <cstddef>

#include "repo/base/bytes.h"

namespace restree {

using Sha256Digest = std::array<std::byte, 32>;

// Threads: any; each keeps its own context. Aborts where OpenSSL has no SHA-256, as nothing could
// go on there.
Sha256Digest sha256(ByteView bytes);

}  // namespace restree
