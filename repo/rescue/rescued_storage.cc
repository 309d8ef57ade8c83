#include "repo/rescue/rescued_storage.h"

#include <algorithm>
#include <utility>

#include "repo/crypto/sha256.h"

namespace restree {
namespace {

Result<ByteView> part_of(const Bytes& bytes, ByteRange range) {
  if (range.offset > bytes.size() || range.length > bytes.size() - range.offset) {
    return Error(ErrorKind::kCorrupt, "the file ends before the wanted range does");
  }
  return bytes.view().subspan(static_cast<std::size_t>(range.offset),
                              static_cast<std::size_t>(range.length));
}

}  // namespace

void RescuedStorage::add_key(Bytes file) {
  auto added = added_.lock();
  added->key_name = to_hex(sha256(file));
  added->key = std::make_shared<const Bytes>(std::move(file));
}

void RescuedStorage::add_config(Bytes file) {
  auto added = added_.lock();
  added->config = std::make_shared<const Bytes>(std::move(file));
  added->config_replaces = false;
}

void RescuedStorage::replace_config(Bytes file) {
  auto added = added_.lock();
  added->config = std::make_shared<const Bytes>(std::move(file));
  added->config_replaces = true;
}

Result<std::vector<ListedFile>> RescuedStorage::list(FileType type, Deadline by) {
  ASSIGN_OR_RETURN(std::vector<ListedFile> files, inner().list(type, by));
  if (type != FileType::kKey) return files;
  auto added = added_.lock();
  if (added->key == nullptr) return files;
  const bool is_there = std::any_of(files.begin(), files.end(), [&](const ListedFile& file) {
    return file.name == added->key_name;
  });
  if (!is_there) files.push_back({added->key_name, added->key->size()});
  return files;
}

template <class T>
Result<RescuedStorage::SharedFile> RescuedStorage::instead_of(const Result<T>& answer,
                                                              const FileName& file, Deadline by) {
  const bool is_missing = !answer && answer.error().kind() == ErrorKind::kNotFound;
  const bool is_damaged = !answer && answer.error().kind() == ErrorKind::kCorrupt;
  SharedFile config;
  {
    auto added = added_.lock();
    if (file.type == FileType::kKey && file.name == added->key_name && is_missing) {
      return added->key;
    }
    if (file.type != FileType::kConfig) return SharedFile();
    const bool replaces = added->config_replaces && (answer || is_damaged);
    if (is_missing || replaces) config = added->config;
  }
  if (config == nullptr) return config;
  ASSIGN_OR_RETURN(const bool has_files, has_content(inner(), by));
  return has_files ? config : nullptr;
}

Result<std::uint64_t> RescuedStorage::size(const FileName& file, Deadline by) {
  Result<std::uint64_t> answer = inner().size(file, by);
  ASSIGN_OR_RETURN(const SharedFile added, instead_of(answer, file, by));
  return added == nullptr ? std::move(answer) : Result<std::uint64_t>(added->size());
}

Result<Bytes> RescuedStorage::read(const FileName& file, ByteRange range, Deadline by) {
  Result<Bytes> answer = inner().read(file, range, by);
  ASSIGN_OR_RETURN(const SharedFile added, instead_of(answer, file, by));
  if (added == nullptr) return answer;
  ASSIGN_OR_RETURN(const ByteView part, part_of(*added, range));
  return Bytes::copy_of(part);
}

Result<MutableByteView> RescuedStorage::read_into(Bytes& buffer, const FileName& file,
                                                  ByteRange range, Deadline by) {
  Result<MutableByteView> answer = inner().read_into(buffer, file, range, by);
  ASSIGN_OR_RETURN(const SharedFile added, instead_of(answer, file, by));
  if (added == nullptr) return answer;
  ASSIGN_OR_RETURN(const ByteView part, part_of(*added, range));
  buffer = Bytes::copy_of(part);
  return buffer.view();
}

Result<Bytes> RescuedStorage::read_all(const FileName& file, Deadline by) {
  Result<Bytes> answer = inner().read_all(file, by);
  ASSIGN_OR_RETURN(const SharedFile added, instead_of(answer, file, by));
  if (added == nullptr) return answer;
  return Bytes::copy_of(*added);
}

Result<bool> has_content(Storage& storage, Deadline by) {
  for (const FileType type : {FileType::kSnapshot, FileType::kIndex}) {
    ASSIGN_OR_RETURN(const auto files, storage.list(type, by));
    if (!files.empty()) return true;
  }
  return false;
}

}  // namespace restree
