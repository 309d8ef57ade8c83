#include "repo/cached_files.h"

#include <optional>
#include <utility>

#include "repo/crypto/sha256.h"

namespace restree {

Error CachedFiles::refusal() const {
  return {ErrorKind::kUnsupported, description_ + " holds only small files, for reading"};
}

Result<std::vector<ListedFile>> CachedFiles::list(FileType type, Deadline by) {
  std::vector<ListedFile> files;
  for (std::string& name : cache_.names(type)) {
    if (!is_repository_name(name)) continue;
    if (const auto length = size({type, name}, by)) files.push_back({std::move(name), *length});
  }
  return files;
}

Result<std::uint64_t> CachedFiles::size(const FileName& file, Deadline by) {
  ASSIGN_OR_RETURN(const Bytes content, read_all(file, by));
  return content.size();
}

Result<Bytes> CachedFiles::read_all(const FileName& file, Deadline) {
  if (file.type == FileType::kPack) return refusal();
  std::optional<Bytes> content = cache_.read(file);
  // The config's name is not its hash: damage shows when it is opened.
  if (content && (file.type == FileType::kConfig || to_hex(sha256(*content)) == file.name)) {
    return std::move(*content);
  }
  return Error(ErrorKind::kNotFound, description_ + " has no file " + relative_path(file));
}

Result<Bytes> CachedFiles::read(const FileName&, ByteRange, Deadline) { return refusal(); }
Status CachedFiles::make_folders(Deadline) { return refusal(); }
Status CachedFiles::write(const FileName&, ByteView, Deadline) { return refusal(); }

Status CachedFiles::join(std::span<const FileRange>, ByteView, const NameJoined&, Deadline) {
  return refusal();
}
Status CachedFiles::remove(const FileName&, Deadline) { return refusal(); }
Result<std::size_t> CachedFiles::remove_leftovers(const Leftovers& /*which*/, Deadline /*by*/) {
  return refusal();
}
Result<std::optional<std::uint64_t>> CachedFiles::free_bytes(Deadline) { return refusal(); }

}  // namespace restree
