#include "repo/repository_creation.h"

#include <fmt/core.h>

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "repo/base/log.h"
#include "repo/base/restic_words.h"
#include "repo/chunker/polynomial.h"
#include "repo/crypto/random.h"
#include "repo/crypto/seal.h"
#include "repo/new_key.h"
#include "repo/repository.h"

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

// The key of a repository that is about to be made: a new one, or that of another repository.
class FirstKey {
 public:
  static Result<FirstKey> make(const Repository* same_as);

  Result<Bytes> seal(ByteView plain) const;
  Result<StoredKey> store(Storage& storage, const Secret& password, const NewKey& wanted,
                          Deadline by) const;

 private:
  explicit FirstKey(const Repository* same_as) : same_as_(same_as) {}

  const Repository* same_as_;
  std::optional<SealKey> own_;  // if there is no such repository
};

Result<SealKey> new_master_key() {
  std::array<std::byte, SealKey::kEncryptBytes + 2 * SealKey::kMacBytes> bytes;
  RETURN_IF_ERROR(fill_random(bytes));
  Result<SealKey> key = SealKey::from_derived(bytes);
  wipe_memory(bytes);
  return key;
}

Result<FirstKey> FirstKey::make(const Repository* same_as) {
  FirstKey key(same_as);
  if (same_as == nullptr) {
    ASSIGN_OR_RETURN(key.own_, new_master_key());
  }
  return key;
}

Result<Bytes> FirstKey::seal(ByteView plain) const {
  if (own_) return restree::seal(*own_, plain);
  Bytes sealed(plain.size() + kSealOverheadBytes);
  RETURN_IF_ERROR(same_as_->seal_into(plain, sealed.view()));
  return sealed;
}

Result<StoredKey> FirstKey::store(Storage& storage, const Secret& password, const NewKey& wanted,
                                  Deadline by) const {
  if (own_) return store_key(storage, *own_, password, wanted, by);
  return same_as_->add_key_in(storage, password, wanted, by);
}

}  // namespace

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

Result<Config> create_repository(Storage& storage, const Secret& password,
                                 const NewRepository& wanted, Deadline by) {
  ASSIGN_OR_RETURN(const Config config, new_config(wanted));
  RETURN_IF_ERROR(refuse_what_is_there(storage, by));
  ASSIGN_OR_RETURN(const FirstKey master, FirstKey::make(wanted.same_key_as));
  ASSIGN_OR_RETURN(const Bytes sealed, master.seal(as_bytes(write_config(config))));
  NewKey first{.scrypt = wanted.scrypt};
  ASSIGN_OR_RETURN(first.scrypt, scrypt_parameters(first));
  RETURN_IF_ERROR(storage.make_folders(by));
  ASSIGN_OR_RETURN(const StoredKey key, master.store(storage, password, first, by));
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
