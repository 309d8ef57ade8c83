// A key file: the parameters that turn a password into a key, and the master key sealed with it.
#pragma once

#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/seal.h"
#include "repo/text/timestamp.h"

namespace restree {

struct KeyFile {
  Timestamp created;
  std::string username;
  std::string hostname;
  ScryptParameters parameters;
  std::string salt;
  std::string sealed_master_key;
};

// kUnsupported: a key derivation other than scrypt. kCorrupt: anything else that is off. The
// parameters are checked by derive_key() alone.
Result<KeyFile> parse_key_file(ByteView json);

// The master key from the opened `sealed_master_key`.
Result<SealKey> parse_master_key(ByteView json);

// The JSON of a master key, as key files hold it under a seal.
Secret write_master_key(const SealKey& key);

// Derives the user's key and opens the master key with it. kWrongPassword: the password
// does not fit this key file.
Result<SealKey> open_key_file(const KeyFile& file, const Secret& password);

// The JSON that restic writes for it.
std::string write_key_file(const KeyFile& file);

// A key file that holds `master` under `password`, with a salt of its own. kLocalIo: the
// machine gives no memory, or no random bytes.
struct KeyHolder {
  Timestamp created;
  std::string username;
  std::string hostname;
};
Result<KeyFile> make_key_file(const SealKey& master, const Secret& password, KeyHolder holder,
                              ScryptParameters parameters);

}  // namespace restree
