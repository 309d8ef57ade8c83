#include "repo/repository_creation.h"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/restic_words.h"
#include "repo/chunker/polynomial.h"
#include "repo/crypto/random.h"
#include "repo/crypto/seal.h"
#include "repo/new_key.h"

namespace restree {
namespace {

constexpr std::chrono::seconds kCleaningTime{10};

Error there_already(const Storage& storage, std::string_view what) {
  return Error(ErrorKind::kInvalid,
               fmt::format("create repository at {} failed: {}", storage.description(), what))
      .hinting("Nothing was changed. Use the repository that is there, or another location.");
}

Status refuse_what_is_there(Storage& storage, Deadline by) {
  const Result<std::uint64_t> config = storage.size({FileType::kConfig, ""}, by);
  if (config) return there_already(storage, "config file already exists");
  if (config.error().kind() != ErrorKind::kNotFound) return config.error();
  ASSIGN_OR_RETURN(const auto keys, storage.list(FileType::kKey, by));
  if (!keys.empty()) return there_already(storage, "repository already contains keys");
  ASSIGN_OR_RETURN(const auto snapshots, storage.list(FileType::kSnapshot, by));
  if (!snapshots.empty()) return there_already(storage, "repository already contains snapshots");
  return {};
}

Result<std::uint64_t> new_polynomial() {
  Status random;
  const auto polynomial = find_irreducible([&] {
    std::uint64_t word = 0;
    if (random) random = fill_random(std::as_writable_bytes(std::span(&word, 1)));
    return word;
  });
  RETURN_IF_ERROR(random);
  if (!polynomial) {
    return Error(ErrorKind::kLocalIo,
                 "could not find a chunker polynomial: the random number generator seems broken");
  }
  return *polynomial;
}

Result<Config> new_config(const NewRepository& wanted) {
  if (wanted.version != 1 && wanted.version != 2) {
    return Error(ErrorKind::kUnsupported, fmt::format(restic_words::kNoSuchVersion.text, 1, 2));
  }
  if (wanted.chunker_polynomial && !is_irreducible(*wanted.chunker_polynomial)) {
    return Error(ErrorKind::kInvalid, fmt::format("the chunker polynomial {:x} is reducible",
                                                  *wanted.chunker_polynomial));
  }
  Config config{.version = wanted.version, .id = {}, .chunker_polynomial = 0};
  RETURN_IF_ERROR(fill_random(config.id.bytes));
  if (wanted.chunker_polynomial) {
    config.chunker_polynomial = *wanted.chunker_polynomial;
  } else {
    ASSIGN_OR_RETURN(config.chunker_polynomial, new_polynomial());
  }
  return config;
}

Result<SealKey> new_master_key() {
  std::array<std::byte, SealKey::kEncryptBytes + 2 * SealKey::kMacBytes> bytes;
  RETURN_IF_ERROR(fill_random(bytes));
  Result<SealKey> key = SealKey::from_derived(bytes);
  wipe_memory(bytes);
  return key;
}

}  // namespace

Result<Config> create_repository(Storage& storage, const Secret& password,
                                 const NewRepository& wanted, Deadline by) {
  ASSIGN_OR_RETURN(const Config config, new_config(wanted));
  RETURN_IF_ERROR(refuse_what_is_there(storage, by));
  ASSIGN_OR_RETURN(const SealKey master, new_master_key());
  ASSIGN_OR_RETURN(const Bytes sealed, seal(master, as_bytes(write_config(config))));
  NewKey first{.scrypt = wanted.scrypt};
  ASSIGN_OR_RETURN(first.scrypt, scrypt_parameters(first));
  RETURN_IF_ERROR(storage.make_folders(by));
  ASSIGN_OR_RETURN(const StoredKey key, store_key(storage, master, password, first, by));
  if (Status written = storage.write({FileType::kConfig, ""}, sealed, by); !written) {
    // A key without a repository would be in the way of the next attempt.
    const Status removed =
        storage.remove({FileType::kKey, key.name}, Deadline::after(kCleaningTime));
    if (!removed) log::warning("a key file stays behind: {}", removed.error().message());
    return std::move(written).error();
  }
  return config;
}

}  // namespace restree
