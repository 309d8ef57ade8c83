// The outer form of index, snapshot and lock files: sealed, and in format 2 compressed.
//
//   format 1: sealed(JSON)
//   format 2: sealed(0x02 zstd-frame), or as format 1
#pragma once

#include <cstdint>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/crypto/seal.h"

namespace restree {

// The JSON inside. `file` is consumed (decrypted in place). kCorrupt: MAC or compression.
// kUnsupported: an encoding that is neither.
Result<Bytes> open_unpacked(const SealKey& key, Bytes file);

// The file for a JSON document, in the form of a repository of format `version`. kLocalIo: no
// memory or no random numbers.
Result<Bytes> seal_unpacked(const SealKey& key, std::uint32_t version, ByteView json);

}  // namespace restree
