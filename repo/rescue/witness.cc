#include "repo/rescue/witness.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "repo/crypto/sha256.h"
#include "repo/repository_keys.h"

namespace restree {
namespace {

constexpr std::size_t kMostOfEachType = 100;

Error of_another(const Storage& storage) {
  return Error(ErrorKind::kInvalid,
               "the rescue key is not of the repository in " + storage.description())
      .hinting("Nothing was changed. See whether the location is right.");
}

}  // namespace

Result<std::vector<FileName>> witness_names(Storage& storage, Deadline by) {
  std::vector<FileName> names;
  for (const FileType type : {FileType::kSnapshot, FileType::kIndex}) {
    ASSIGN_OR_RETURN(std::vector<ListedFile> files, storage.list(type, by));
    std::sort(files.begin(), files.end(), [](const ListedFile& a, const ListedFile& b) {
      return std::pair(b.modified, b.name) < std::pair(a.modified, a.name);
    });
    if (files.size() > kMostOfEachType) files.resize(kMostOfEachType);
    for (const ListedFile& file : files) names.push_back({type, file.name});
  }
  return names;
}

Result<std::optional<Bytes>> read_witness(Storage& storage, const FileName& name, Deadline by) {
  Result<Bytes> content = storage.read_all(name, by);
  if (!content) {
    const ErrorKind kind = content.error().kind();
    if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kCancelled) return content.error();
    return std::optional<Bytes>();
  }
  if (to_hex(sha256(*content)) != name.name) return std::optional<Bytes>();
  return std::optional(std::move(*content));
}

Result<std::optional<Bytes>> find_witness(Storage& storage, const std::vector<FileName>& names,
                                          Deadline by) {
  for (const FileName& name : names) {
    ASSIGN_OR_RETURN(std::optional<Bytes> file, read_witness(storage, name, by));
    if (file) return file;
  }
  return std::optional<Bytes>();
}

bool opens(const SealKey& key, const Bytes& sealed) {
  Bytes copy = Bytes::copy_of(sealed);
  return open_in_place(key, copy.view()).has_value();
}

Result<bool> lacks_config(Storage& storage, const SealKey& master, Deadline by) {
  const Result<Bytes> config = read_config_file(storage, by);
  if (config && opens(master, *config)) return false;
  const bool is_away = !config && config.error().kind() != ErrorKind::kNoRepository &&
                       config.error().kind() != ErrorKind::kCorrupt;
  if (is_away) return config.error();
  // Either there is none that could be read, or it is of another repository: other files know.
  ASSIGN_OR_RETURN(const std::vector<FileName> names, witness_names(storage, by));
  ASSIGN_OR_RETURN(const std::optional<Bytes> witness, find_witness(storage, names, by));
  if (witness && opens(master, *witness)) return true;
  if (witness || config) return of_another(storage);
  return Error(ErrorKind::kNoRepository,
               storage.description() +
                   " has no config, and no snapshot or index file that is whole: a key opens "
                   "nothing there");
}

}  // namespace restree
