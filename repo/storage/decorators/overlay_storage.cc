#include "repo/storage/decorators/overlay_storage.h"

#include <fmt/core.h>

#include <utility>

namespace restree {

Status OverlayStorage::make_folders(Deadline /*by*/) { return {}; }

Result<std::optional<OverlayStorage::Content>> OverlayStorage::changed(const FileName& file) const {
  const auto changes = changes_.lock();
  const auto found = changes->find(file);
  if (found == changes->end()) return std::nullopt;
  if (found->second) return found->second;
  return Error(ErrorKind::kNotFound, relative_path(file) + " was removed");
}

Result<std::vector<ListedFile>> OverlayStorage::list(FileType type, Deadline by) {
  ASSIGN_OR_RETURN(std::vector<ListedFile> listed, inner().list(type, by));
  auto changes = changes_.lock();
  std::erase_if(listed, [&](const ListedFile& file) {
    return changes->contains(FileName{type, file.name});
  });
  for (const auto& [file, content] : *changes) {
    if (file.type == type && content) listed.push_back({file.name, content->size()});
  }
  return listed;
}

Result<std::uint64_t> OverlayStorage::size(const FileName& file, Deadline by) {
  ASSIGN_OR_RETURN(const std::optional<Content> content, changed(file));
  if (content) return std::uint64_t{(*content)->size()};
  return inner().size(file, by);
}

Result<Bytes> OverlayStorage::read(const FileName& file, ByteRange range, Deadline by) {
  ASSIGN_OR_RETURN(const std::optional<Content> content, changed(file));
  if (!content) return inner().read(file, range, by);
  const std::string& all = **content;
  if (range.offset > all.size() || range.length > all.size() - range.offset) {
    return Error(ErrorKind::kCorrupt,
                 fmt::format("{} ends at {}, before byte {}", relative_path(file), all.size(),
                             range.offset + range.length));
  }
  return Bytes::copy_of(
      as_bytes(all).subspan(memory_size(range.offset), memory_size(range.length)));
}

Result<MutableByteView> OverlayStorage::read_into(Bytes& buffer, const FileName& file,
                                                  ByteRange range, Deadline by) {
  ASSIGN_OR_RETURN(const std::optional<Content> content, changed(file));
  if (!content) return inner().read_into(buffer, file, range, by);
  ASSIGN_OR_RETURN(buffer, read(file, range, by));
  return buffer.view();
}

Result<Bytes> OverlayStorage::read_all(const FileName& file, Deadline by) {
  ASSIGN_OR_RETURN(const std::optional<Content> content, changed(file));
  return content ? Bytes::copy_of(as_bytes(**content)) : inner().read_all(file, by);
}

Status OverlayStorage::write(const FileName& file, ByteView content, Deadline by) {
  if (file.type == FileType::kLock) return inner().write(file, content, by);
  (*changes_.lock())[file] = std::make_shared<const std::string>(as_text(content));
  return {};
}

// Below, it would be written.
Status OverlayStorage::join(std::span<const FileRange>, ByteView, const NameJoined&, Deadline) {
  return cannot_join(description());
}

Status OverlayStorage::remove(const FileName& file, Deadline by) {
  if (file.type == FileType::kLock) return inner().remove(file, by);
  RETURN_IF_ERROR(size(file, by));
  (*changes_.lock())[file] = nullptr;
  return {};
}

Result<std::size_t> OverlayStorage::remove_leftovers(const Leftovers&, Deadline) { return 0; }

}  // namespace restree
