// A rescue key on paper: the master key and the config as lines that a person can type.
//
//   1: 0123 4567 89AB CDEF GHJK MNPQ  RSTV
//
// Eight lines, each with its number, 15 bytes in 24 digits of base 32, and 20 bits of a checksum, so
// that a line with a mistake is found and named. No digit looks like another: I and L are read as 1,
// O as 0. Small letters, spaces and hyphens do not matter, nor does the order of the lines.
//
// Whoever has the paper has the key: no password protects it.
//
// Threads: any.
// Errors:  kInvalid: a line is missing, there twice, or wrong; the message names it. kCorrupt: the
//          lines are right, and what they hold is not a key.
// Format:  form (1), version of the repository, id (32 bytes), chunker polynomial (8, big-endian),
//          master key (32 encrypt, 16 mac k, 16 mac r), 14 bytes of the SHA-256 of all before them.
#pragma once

#include <string_view>

#include "repo/base/result.h"
#include "repo/crypto/seal.h"
#include "repo/crypto/secret.h"
#include "repo/format/config.h"

namespace restree {

struct PaperKey {
  Config config;
  SealKey master;
};

// The lines, each with its line break.
Result<Secret> write_paper_key(const Config& config, const SealKey& master);
// From text that has them; lines that do not begin with a number and a colon are passed over.
Result<PaperKey> read_paper_key(std::string_view text);

}  // namespace restree
