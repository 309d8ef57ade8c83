// Puts a repository's master key under one more password: makes its key file.
//
// Threads: any.
// Limits:  each derivation takes half a second or so, since scrypt is slow on purpose.
// Errors:  kLocalIo: the machine gives no memory, or no random bytes. Others: those of the storage.
#pragma once

#include <optional>
#include <string>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/secret.h"
#include "repo/format/key.h"
#include "repo/storage/storage.h"

namespace restree {

struct NewKey {
  // Who holds it, for people. Empty: the user and the host of this process.
  std::string username = {};
  std::string hostname = {};
  // Tests give cheap ones. nullopt: those that take half a second on this machine.
  std::optional<ScryptParameters> scrypt = {};
};

struct StoredKey {
  std::string name;  // of the key file
  KeyHolder holder;
};

// The parameters that `wanted` has, or else those for this machine.
Result<ScryptParameters> scrypt_parameters(const NewKey& wanted);

// Writes the key file.
Result<StoredKey> store_key(Storage& storage, const SealKey& master, const Secret& password,
                            const NewKey& wanted, Deadline by);

// The same; then reads the key file back and opens it with the password, as the next command will.
// If that fails, the key file is removed again, and the error says so.
Result<StoredKey> store_tried_key(Storage& storage, const SealKey& master, const Secret& password,
                                  const NewKey& wanted, Deadline by);

}  // namespace restree
