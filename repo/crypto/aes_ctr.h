// AES-256 in counter mode by itself, for formats that add no check of their own to it. What has to
// be protected is sealed (repo/crypto/seal.h).
//
// Threads: any. Errors: kLocalIo: OpenSSL itself fails.
#pragma once

#include <array>
#include <cstddef>

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

using AesKey = std::array<std::byte, 32>;
using AesIv = std::array<std::byte, 16>;

// Encrypts or decrypts in place, which is the same.
Status apply_aes256_ctr(const AesKey& key, const AesIv& iv, MutableByteView bytes);

}  // namespace restree
