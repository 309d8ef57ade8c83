// Creates a new repository at a location that has none.
#pragma once

#include <cstdint>
#include <optional>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/kdf.h"
#include "repo/crypto/secret.h"
#include "repo/format/config.h"
#include "repo/storage/storage.h"

namespace restree {

class Repository;

struct NewRepository {
  std::uint32_t version = 2;
  // If given, that of another repository: both then cut files into the same chunks, so that data
  // copied between them is not stored twice.
  std::optional<std::uint64_t> chunker_polynomial = {};
  // If given, a repository whose master key the new one gets, sealed under the new password: packs
  // and snapshots can then be copied between them byte for byte. It must outlive the call.
  const Repository* same_key_as = nullptr;
  // Tests give cheap ones: the usual ones take half a second for each password.
  std::optional<ScryptParameters> scrypt = {};
};

// Makes the folders, a key file for `password`, and last the config, without which there is no
// repository: if this is cut short, nothing is left that could be taken for one.
// Errors: kInvalid: a repository, or parts of one, are there already, and nothing is touched; or
//         the polynomial is reducible. kUnsupported: the version. Others: those of the storage.
Result<Config> create_repository(Storage& storage, const Secret& password,
                                 const NewRepository& wanted, Deadline by);

// A chunker polynomial for a repository that has none. kLocalIo: no random numbers.
Result<std::uint64_t> new_polynomial();

}  // namespace restree
