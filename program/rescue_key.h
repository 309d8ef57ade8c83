// The rescue key that a user names for a repository that has lost its key files or its config.
//
// Threads: as environment_variable(). Errors: kInvalid: it is not one, or is for paper. Others: those
// of the local disk, with the file's path.
#pragma once

#include <string>

#include "program/access.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/rescue/rescued_storage.h"

namespace restree {

// Adds what the rescue key has to the storage, if the user names one: by --rescue-key or
// RESTREE_RESCUE_KEY.
Status add_rescue_key(const RepositoryAccess& access, RescuedStorage& storage);

// A file with a rescue key of either kind, or "-": standard input up to its end.
Result<Secret> read_rescue_key(const std::string& path);
// Whether it is one for paper, and not JSON.
bool is_for_paper(const Secret& text);

}  // namespace restree
