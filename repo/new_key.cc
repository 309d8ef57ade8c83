#include "repo/new_key.h"

#include <chrono>
#include <utility>

#include "repo/base/log.h"
#include "repo/crypto/sha256.h"
#include "repo/identity.h"
#include "repo/repository_keys.h"

namespace restree {
namespace {

constexpr std::chrono::milliseconds kDerivationTime{500};
constexpr std::chrono::seconds kRemovalTime{10};

std::string or_else(const std::string& given, std::string otherwise) {
  return given.empty() ? std::move(otherwise) : given;
}

// Whether what one of them seals is opened by the other.
Status expect_same(const SealKey& opened, const SealKey& master) {
  ASSIGN_OR_RETURN(Bytes probe, seal(opened, as_bytes("probe")));
  const auto plain = open_in_place(master, probe.view());
  if (plain) return {};
  return Error(ErrorKind::kCorrupt, "it holds another master key than the one that was stored");
}

Status try_key(Storage& storage, const SealKey& master, const Secret& password,
               const std::string& name, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes bytes, read_key_file(storage, {name, 0}, by));
  ASSIGN_OR_RETURN(const KeyFile file, parse_key_file(bytes));
  ASSIGN_OR_RETURN(const SealKey opened, open_key_file(file, password));
  return expect_same(opened, master);
}

}  // namespace

Result<ScryptParameters> scrypt_parameters(const NewKey& wanted) {
  if (wanted.scrypt) return *wanted.scrypt;
  return calibrate_scrypt(kDerivationTime);
}

Result<StoredKey> store_key(Storage& storage, const SealKey& master, const Secret& password,
                            const NewKey& wanted, Deadline by) {
  ASSIGN_OR_RETURN(const ScryptParameters parameters, scrypt_parameters(wanted));
  KeyHolder holder{.created = wall_clock_now(),
                   .username = or_else(wanted.username, user_name()),
                   .hostname = or_else(wanted.hostname, host_name())};
  ASSIGN_OR_RETURN(const KeyFile file, make_key_file(master, password, holder, parameters));
  const std::string json = write_key_file(file);
  std::string name = to_hex(sha256(as_bytes(json)));
  RETURN_IF_ERROR(storage.write({FileType::kKey, name}, as_bytes(json), by));
  return StoredKey{std::move(name), std::move(holder)};
}

Result<StoredKey> store_tried_key(Storage& storage, const SealKey& master, const Secret& password,
                                  const NewKey& wanted, Deadline by) {
  ASSIGN_OR_RETURN(StoredKey key, store_key(storage, master, password, wanted, by));
  Status tried = try_key(storage, master, password, key.name, by);
  if (tried) return key;
  const Status removed = storage.remove({FileType::kKey, key.name}, Deadline::after(kRemovalTime));
  if (!removed) {
    log::warning("{}: the new key file {} stays behind: {}", storage.description(), key.name,
                 removed.error().message());
  }
  return std::move(tried).error().with("failed to access repository with new key");
}

}  // namespace restree
