// What stands before everything else in opening a repository: its config file, and the key file
// that the password opens.
//
// Threads: any. Errors: kNoRepository, kWrongPassword, kCorrupt, kUnsupported; those of the
// storage.
#pragma once

#include <string>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/seal.h"
#include "repo/storage/storage.h"

namespace restree {

// Sealed, as it is in the repository.
Result<Bytes> read_config_file(Storage& storage, Deadline by);

struct OpenedKey {
  SealKey master;
  std::string name;
  Bytes file;  // as it is in the repository
};

// Tries the password on every key file, the one whose name starts with `hint` first.
Result<OpenedKey> find_master_key(Storage& storage, const Secret& password, const std::string& hint,
                                  Deadline by);

}  // namespace restree
