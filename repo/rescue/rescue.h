// What opens a repository is taken out of it, and put back into one that has lost it.
//
// Threads: any.
// Errors:  kInvalid: the rescue key is not of this repository. kWrongPassword: the password does not
//          open it. kNoRepository: neither snapshots nor index files are there. Others: those of the
//          storage. Nothing is replaced but a config that is damaged.
#pragma once

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/secret.h"
#include "repo/new_key.h"
#include "repo/repository.h"
#include "repo/rescue/paper_key.h"
#include "repo/rescue/rescue_file.h"
#include "repo/storage/storage.h"

namespace restree {

// A rescue key of an opened repository, under a password of its own, which is tried.
Result<RescueFile> export_rescue_file(Repository& repository, const Secret& password,
                                      const NewKey& wanted, Deadline by);
// The same as lines for paper, under no password.
Result<Secret> export_paper_key(const Repository& repository);

struct PutBackFiles {
  std::string key_name;
  bool key = false;     // the key file was not there
  bool config = false;  // the config was not there, or was damaged
};

// Stores the key file, if it is not there, and the config, if there is none that is whole.
// `password`: the rescue key's.
Result<PutBackFiles> put_back(Storage& storage, const RescueFile& file, const Secret& password,
                              Deadline by);
// The same, the master key under a new password.
Result<PutBackFiles> put_back(Storage& storage, const PaperKey& paper, const Secret& new_password,
                              const NewKey& wanted, Deadline by);

}  // namespace restree
