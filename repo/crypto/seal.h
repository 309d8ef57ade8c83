// Authenticated encryption of blobs and files: AES-256-CTR, then Poly1305-AES over the ciphertext.
//
//   sealed := iv:byte[16]  ciphertext  mac:byte[16]
//
// Threads: any; a SealKey is immutable, and each thread keeps its own cipher contexts.
// Format:  restic's design document, "Keys, Encryption and MAC".
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"

namespace restree {

inline constexpr std::size_t kSealIvBytes = 16;
inline constexpr std::size_t kSealMacBytes = 16;
inline constexpr std::size_t kSealOverheadBytes = kSealIvBytes + kSealMacBytes;

class SealKey {
 public:
  static constexpr std::size_t kEncryptBytes = 32;
  static constexpr std::size_t kMacBytes = 16;

  // kCorrupt if a part has the wrong length or is all zero.
  static Result<SealKey> make(ByteView encrypt, ByteView mac_k, ByteView mac_r);
  // From the 64 bytes that the key derivation gives: encrypt, mac k, mac r.
  static Result<SealKey> from_derived(ByteView derived);

  ByteView encrypt() const { return encrypt_.view(); }
  ByteView mac_k() const { return mac_k_.view(); }
  ByteView mac_r() const { return mac_r_.view(); }

 private:
  SealKey() = default;
  Secret encrypt_;
  Secret mac_k_;
  Secret mac_r_;
};

// Decrypts in place after checking the MAC and returns the part of `sealed` that is plaintext now.
// kCorrupt: too short, or the MAC does not match; `sealed` is then untouched. kLocalIo: OpenSSL
// itself fails.
Result<MutableByteView> open_in_place(const SealKey& key, MutableByteView sealed);

// The two halves of open_in_place(), for callers that do something in between. Errors as above.
Status authenticate(const SealKey& key, ByteView sealed);
Result<MutableByteView> decrypt_authenticated(const SealKey& key, MutableByteView sealed);

// Decrypts into `plain`, which holds `sealed.size() - kSealOverheadBytes` bytes. Errors as above.
Status open_into(const SealKey& key, ByteView sealed, MutableByteView plain);

// Authenticates all of `sealed`; then decrypts one part after the other into `piece`, whose size is
// a multiple of 16, and passes each to `take`, which must not seal or open anything itself. Errors
// as above, and those of `take`.
Status open_in_pieces(const SealKey& key, ByteView sealed, MutableByteView piece,
                      const std::function<Status(ByteView)>& take);

// Encrypts with a fresh random IV. kLocalIo: OpenSSL itself fails.
Result<Bytes> seal(const SealKey& key, ByteView plain);
// The same into the caller's memory of `plain.size() + kSealOverheadBytes` bytes.
Status seal_into(const SealKey& key, ByteView plain, MutableByteView sealed);

}  // namespace restree
