// zstd frames as repositories hold them. Several in a row count as one, as in every decoder.
//
// Threads: any; each keeps its own context. Errors: kLocalIo if there is no memory for it.
#pragma once

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

// Exactly `raw.size()` bytes, into memory that the caller owns. kCorrupt otherwise.
Status decompress_into(ByteView frame, MutableByteView raw);

// A frame whose size is not known beforehand; kCorrupt if it would exceed `limit_bytes`.
Result<Bytes> decompress(ByteView frame, std::size_t limit_bytes);

// One frame without a checksum, at the level that restic's default comes to.
Result<Bytes> compress(ByteView raw);

}  // namespace restree
