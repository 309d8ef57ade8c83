// The first step of opening a repository: reads its config file and finds the key file that the
// password opens.
//
// Threads: any.
// Limits:  KeyLimits, and what kdf.h allows for one key.
// Errors:  kNoRepository, kWrongPassword, kCorrupt, kUnsupported; those of the storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "repo/base/bytes.h"
#include "repo/base/clock.h"
#include "repo/base/result.h"
#include "repo/crypto/seal.h"
#include "repo/storage/storage.h"

namespace restree {

// The config file, still sealed.
Result<Bytes> read_config_file(Storage& storage, Deadline by);

// A key file as it is in the repository. kCorrupt: its hash is not its name, or its size is not
// that of a key file, in which case it is not opened: a FIFO or a device might never answer. A
// size_bytes of 0 makes the storage be asked for the size.
Result<Bytes> read_key_file(Storage& storage, const ListedFile& file, Deadline by);

struct OpenedKey {
  SealKey master;
  std::string name;
  Bytes file;  // as it is in the repository
};

// Bounds a search. A repository usually has one key for each password; restic gives up after 20.
// Whoever can add files can add many that are no keys: reading them is what these bounds allow for.
struct KeyLimits {
  std::size_t most_keys = 50'000;                      // that are read
  std::uint64_t most_bytes = std::uint64_t{64} << 20;  // read; 64 KiB each if sizes are unknown
  std::uint64_t most_cost = std::uint64_t{1} << 29;    // the sum of scrypt_cost(): a few minutes
};

// Tries the password on the key files whose names start with `hint`, if it is not empty, then on
// those that have the size of a key file, then on the others; in each case on the cheapest first. `config` is the sealed config file, which the
// right key opens.
//
// A key that cannot be used (damaged, unreadable, of an unknown kind, beyond the limits, of another
// repository) does not keep the others from being tried. If another one opens, the log names it.
// If none does, the error names it: kWrongPassword if the password was tried on any key, otherwise
// the kind of the first such key. kUnavailable and kCancelled of the storage end the search. If the
// password opens keys but none of them opens `config`, the first of these keys is returned.
Result<OpenedKey> find_master_key(Storage& storage, ByteView config, const Secret& password,
                                  const std::string& hint, Deadline by, KeyLimits limits = {});

}  // namespace restree
