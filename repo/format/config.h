// The repository's config file: its format version, its own id, and its chunker polynomial.
#pragma once

#include <cstdint>
#include <string>

#include "repo/base/result.h"
#include "repo/format/id.h"

namespace restree {

struct Config {
  std::uint32_t version;
  RepositoryId id;
  std::uint64_t chunker_polynomial;
};

// From the decrypted JSON. kUnsupported: a version other than 1 and 2. kCorrupt: anything else.
Result<Config> parse_config(ByteView json);

// The JSON that restic writes for it.
std::string write_config(const Config& config);

}  // namespace restree
