// A config in place of one that a repository has lost: from a key file and what lies in the repository.
//
// A config says three things. The repository's id names caches and messages only; the new one comes
// from the master key, so that it is the same each time. The format version is seen from the files: one that is compressed is of version 2. The
// chunker polynomial matters where files are cut: with another one, backups still read and write all,
// and files that have changed are stored anew.
//
// Threads: any.
// Errors:  those of find_master_key(). kNoRepository: there is no snapshot and no index file, or none
//          is whole, so that nothing shows whether a key is the right one. Others: those of the storage.
#pragma once

#include <string>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/format/config.h"
#include "repo/storage/storage.h"

namespace restree {

struct RebuiltConfig {
  Config config;
  Bytes file;            // sealed, as it is to lie in the repository
  bool is_lost = false;  // the repository has none, or one that its key does not open
};

Result<RebuiltConfig> rebuild_config(Storage& storage, const Secret& password,
                                     const std::string& key_hint, Deadline by);

}  // namespace restree
