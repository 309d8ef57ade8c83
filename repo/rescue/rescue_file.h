// A rescue key as a file: what opens a repository that has lost its config or its key files.
//
// It holds a key file and the config as repositories hold them, the master key sealed under a
// password of its own, and the config sealed with the master key. Nobody opens anything with it who
// does not know that password, and restic opens the repository with it once its parts were put back.
//
// Threads: any.
// Errors:  kCorrupt: it is no rescue key, or what it holds is not whole.
// Format:  JSON: rescue_key (1), repository (the id as hexadecimal digits), key and config (base64).
#pragma once

#include <string>

#include "repo/base/bytes.h"
#include "repo/base/result.h"

namespace restree {

struct RescueFile {
  std::string repository;  // its id, for people and for messages
  Bytes key_file;          // as in keys/, where its name is its hash
  Bytes config_file;       // as in the repository, sealed
};

std::string write_rescue_file(const RescueFile& file);
Result<RescueFile> parse_rescue_file(ByteView json);

// The name that its key file has in a repository.
std::string key_name_of(const RescueFile& file);

}  // namespace restree
