// Snapshot and index files as witnesses: they show which master key a repository has when its config
// does not.
//
// Threads: any.
// Errors:  those of the storage that keep every file from being read. A file that is not whole is
//          passed over.
#pragma once

#include <optional>
#include <vector>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/seal.h"
#include "repo/storage/storage.h"

namespace restree {

// Snapshots and index files, up to 100 of each, the newest first.
Result<std::vector<FileName>> witness_names(Storage& storage, Deadline by);

// Such a file, sealed as it is. nullopt: its hash is not its name, or it cannot be read while others
// may be.
Result<std::optional<Bytes>> read_witness(Storage& storage, const FileName& name, Deadline by);

// The first of them that is whole; nullopt: there is none.
Result<std::optional<Bytes>> find_witness(Storage& storage, const std::vector<FileName>& names,
                                          Deadline by);

// Whether the key opens what is sealed in the file.
bool opens(const SealKey& key, const Bytes& sealed);

// Whether a repository with this master key has no config, or one that is damaged. kInvalid: the
// repository has another master key. kNoRepository: it has no config, and no such file that is whole.
Result<bool> lacks_config(Storage& storage, const SealKey& master, Deadline by);

}  // namespace restree
