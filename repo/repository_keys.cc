#include "repo/repository_keys.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "repo/base/log.h"
#include "repo/crypto/sha256.h"
#include "repo/format/key.h"

namespace restree {
namespace {

Error no_repository(const Storage& storage) {
  // The hint is in words that scripts look for.
  return Error(ErrorKind::kNoRepository,
               "repository does not exist: there is no config file in " + storage.description())
      .hinting("Is there a repository at the following location?\n" + storage.description());
}

// The key files in the order to try them: the one hinted at, then the others by name.
Result<std::vector<std::string>> key_names(Storage& storage, const std::string& hint, Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<ListedFile> files, storage.list(FileType::kKey, by));
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const ListedFile& file : files) names.push_back(file.name);
  std::sort(names.begin(), names.end());
  if (!hint.empty()) {
    std::stable_partition(names.begin(), names.end(),
                          [&](const std::string& name) { return name.starts_with(hint); });
  }
  return names;
}

Result<OpenedKey> try_key(Storage& storage, const std::string& name, const Secret& password,
                          Deadline by) {
  ASSIGN_OR_RETURN(Bytes bytes, storage.read_all({FileType::kKey, name}, by));
  if (to_hex(sha256(bytes)) != name) {
    return Error(ErrorKind::kCorrupt, "key file " + name + " is damaged: its hash is not its name");
  }
  ASSIGN_OR_RETURN(const KeyFile file, parse_key_file(bytes));
  ASSIGN_OR_RETURN(SealKey master, open_key_file(file, password));
  return OpenedKey{std::move(master), name, std::move(bytes)};
}

}  // namespace

Result<Bytes> read_config_file(Storage& storage, Deadline by) {
  Result<Bytes> file = storage.read_all({FileType::kConfig, ""}, by);
  if (!file && file.error().kind() == ErrorKind::kNotFound) return no_repository(storage);
  if (file && file->empty()) {
    return Error(ErrorKind::kCorrupt, "the config file of " + storage.description() + " is empty");
  }
  return file;
}

Result<OpenedKey> find_master_key(Storage& storage, const Secret& password, const std::string& hint,
                                  Deadline by) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, key_names(storage, hint, by));
  if (names.empty()) {
    return Error(ErrorKind::kWrongPassword, "no key file in " + storage.description() + "/keys")
        .hinting("The copy of this repository is not complete: without a key file it stays shut.");
  }
  std::size_t denied = 0;
  std::optional<Error> damage;
  for (const std::string& name : names) {
    Result<OpenedKey> key = try_key(storage, name, password, by);
    if (key) return key;
    if (key.error().kind() == ErrorKind::kWrongPassword) {
      ++denied;
    } else if (key.error().kind() == ErrorKind::kCorrupt ||
               key.error().kind() == ErrorKind::kUnsupported) {
      log::warning("{}: {}", storage.description(), key.error().message());
      damage = std::move(key).error();
    } else if (key.error().kind() != ErrorKind::kNotFound) {
      return std::move(key).error();
    }
  }
  if (denied == 0 && damage) return std::move(*damage).with(storage.description());
  return Error(
      ErrorKind::kWrongPassword,
      fmt::format("wrong password or no key found: it opens none of the {} key files of {}",
                  names.size(), storage.description()));
}

}  // namespace restree
