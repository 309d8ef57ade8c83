// From a password to a key, by scrypt.
//
// Threads: any; derive_key itself uses several, where the key has several lanes and memory is not scarce.
// Limits:  derive_key takes at most 1 GiB of memory, and a minute or two of one processor. restic's
//          own keys take 32 MiB, or 64, and half a second of one processor of the machine that made them.
// Format:  RFC 7914, without its bound on N for a small r: restic 0.3 to 0.8.3 chose N=262144, r=1.
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

// N * r * p, to which the time of a derivation is proportional; the largest number if the product
// does not fit. For parameters that check_scrypt() refuses as well.
std::uint64_t scrypt_cost(ScryptParameters parameters);

// kCorrupt: scrypt does not allow the parameters, or they pass the limits above, as a hostile key
// file's do.
Status check_scrypt(ScryptParameters parameters);

// 64 bytes for SealKey::from_derived. kCorrupt: as by check_scrypt(). kLocalIo: the machine does
// not give the memory.
Result<Secret> derive_key(const Secret& password, ByteView salt, ScryptParameters parameters);

// Parameters for a new key whose derivation takes about `time` on this machine, and no less than
// restic's least: N=32768, r=8, p=1, which is 32 MiB. Takes a fifth of that time or so itself.
Result<ScryptParameters> calibrate_scrypt(std::chrono::milliseconds time);

}  // namespace restree
