// zstd frames as repositories hold them.
#pragma once

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Exactly `raw_size` bytes from one frame, into memory that the caller owns. kCorrupt otherwise.
// Threads: any; each keeps its own context.
Status decompress_into(ByteView frame, MutableByteView raw);

// A frame whose size is not known beforehand; kCorrupt if it would exceed `limit_bytes`.
Result<Bytes> decompress(ByteView frame, std::size_t limit_bytes);

}  // namespace restree
