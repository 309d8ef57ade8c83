#include "repo/rescue/rebuilt_config.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "repo/crypto/seal.h"
#include "repo/crypto/secret.h"
#include "repo/crypto/sha256.h"
#include "repo/repository_creation.h"
#include "repo/repository_keys.h"
#include "repo/rescue/witness.h"

namespace restree {
namespace {

// How a snapshot or index file of version 2 begins that is compressed (unpacked.h).
constexpr std::byte kCompressed{2};

bool is_compressed(const SealKey& key, Bytes sealed) {
  const Result<MutableByteView> plain = open_in_place(key, sealed.view());
  return plain && !plain->empty() && plain->front() == kCompressed;
}

// In a repository that was migrated to version 2, the older files are not compressed.
Result<std::uint32_t> version_of(Storage& storage, const std::vector<FileName>& names,
                                 const SealKey& key, Deadline by) {
  for (const FileName& name : names) {
    ASSIGN_OR_RETURN(std::optional<Bytes> file, read_witness(storage, name, by));
    if (file && is_compressed(key, std::move(*file))) return std::uint32_t{2};
  }
  return std::uint32_t{1};
}

// A hash does not give the key away.
RepositoryId id_from(const SealKey& key) {
  std::string text = "id in place of a lost config";
  text.reserve(text.size() + SealKey::kEncryptBytes + 2 * SealKey::kMacBytes);
  for (const ByteView part : {key.encrypt(), key.mac_k(), key.mac_r()}) text += as_text(part);
  const Secret hashed(std::move(text));
  RepositoryId id;
  id.bytes = sha256(hashed.view());
  return id;
}

}  // namespace

Result<RebuiltConfig> rebuild_config(Storage& storage, const Secret& password,
                                     const std::string& key_hint, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<FileName> names, witness_names(storage, by));
  ASSIGN_OR_RETURN(const std::optional<Bytes> witness, find_witness(storage, names, by));
  if (!witness) {
    return Error(ErrorKind::kNoRepository,
                 storage.description() +
                     " has no config, and no snapshot or index file that is whole: nothing shows "
                     "which repository it was");
  }
  ASSIGN_OR_RETURN(const OpenedKey key, find_master_key(storage, *witness, password, key_hint, by));
  if (!opens(key.master, *witness)) {
    return Error(ErrorKind::kCorrupt, "the key files of " + storage.description() +
                                          " do not open its snapshots and index files");
  }
  RebuiltConfig rebuilt{.config = {.version = 1, .id = {}, .chunker_polynomial = 0}, .file = {}};
  ASSIGN_OR_RETURN(rebuilt.is_lost, lacks_config(storage, key.master, by));
  ASSIGN_OR_RETURN(rebuilt.config.version, version_of(storage, names, key.master, by));
  rebuilt.config.id = id_from(key.master);
  ASSIGN_OR_RETURN(rebuilt.config.chunker_polynomial, new_polynomial());
  ASSIGN_OR_RETURN(rebuilt.file, seal(key.master, as_bytes(write_config(rebuilt.config))));
  return rebuilt;
}

}  // namespace restree
