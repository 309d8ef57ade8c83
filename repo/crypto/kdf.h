// From a password to a key, by scrypt.
#pragma once

#include <chrono>
#include <cstdint>

#include "repo/base/result.h"
#include "repo/crypto/secret.h"

namespace restree {

struct ScryptParameters {
  std::uint64_t n;
  std::uint32_t r;
  std::uint32_t p;
};

// 64 bytes for SealKey::from_derived. kCorrupt: parameters that scrypt does not allow, or that
// would take more than 4 GiB of memory or minutes of time (a hostile key file). kLocalIo: OpenSSL
// itself fails.
Result<Secret> derive_key(const Secret& password, ByteView salt, ScryptParameters parameters);

// Parameters for a new key whose derivation takes about `time` on this machine, and no less than
// restic's least: N=32768, r=8, p=1, which is 32 MiB. Takes a fifth of that time or so itself.
Result<ScryptParameters> calibrate_scrypt(std::chrono::milliseconds time);

}  // namespace restree
