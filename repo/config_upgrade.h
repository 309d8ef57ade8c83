// Makes a repository of format version 1 one of version 2: only its config file changes.
//
// Without its config a repository cannot be opened. So the old one is kept in a file of this machine
// until the new one is there and was read back; and if that fails, it is put back.
// Threads: one, with an exclusive lock on the repository.
// Errors:  kUnsupported: it is not of version 1. Others: those of the storage and of the local disk.
//          The message says what the repository has now, and names the kept file if it may be needed.
#pragma once

#include <string>

#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/repository.h"

namespace restree {

// `kept`: where the old config is kept meanwhile; the folder is made if it is missing. `repository`
// goes on to write as version 1, which may be read by programs that know version 2.
Status upgrade_config(Repository& repository, const std::string& kept, Deadline by);

}  // namespace restree
