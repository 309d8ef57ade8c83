// Making a new repository where none is.
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

struct NewRepository {
  std::uint32_t version = 2;
  // Given: that of another repository, so that data can be copied between them and stay the same.
  std::optional<std::uint64_t> chunker_polynomial = {};
  // Given: by tests, which have no half second for each password.
  std::optional<ScryptParameters> scrypt = {};
};

// Makes the folders, a key file for `password`, and last the config, without which there is no
// repository: whoever is cut short before leaves nothing that is taken for one.
// Errors: kInvalid: a repository, or parts of one, are there already; nothing is then touched. Or
//         the polynomial is not one. kUnsupported: the version. Others: those of the storage.
Result<Config> create_repository(Storage& storage, const Secret& password,
                                 const NewRepository& wanted, Deadline by);

}  // namespace restree
