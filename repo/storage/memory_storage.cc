#include "repo/storage/memory_storage.h"

namespace restree {
namespace {

Error not_there(const FileName& file) {
  return {ErrorKind::kNotFound, "memory: no file " + relative_path(file)};
}

}  // namespace

Result<std::vector<ListedFile>> MemoryStorage::list(FileType type, Deadline) {
  std::vector<ListedFile> listed;
  auto files = files_.lock();
  for (const auto& [file, content] : *files) {
    if (file.type == type && is_repository_name(file.name)) {
      listed.push_back({file.name, content.size()});
    }
  }
  return listed;
}

Result<std::uint64_t> MemoryStorage::size(const FileName& file, Deadline) {
  auto files = files_.lock();
  const auto found = files->find(file);
  if (found == files->end()) return not_there(file);
  return found->second.size();
}

Result<Bytes> MemoryStorage::read(const FileName& file, ByteRange range, Deadline) {
  auto files = files_.lock();
  const auto found = files->find(file);
  if (found == files->end()) return not_there(file);
  const std::string& content = found->second;
  if (range.offset > content.size() || range.length > content.size() - range.offset) {
    return Error(ErrorKind::kCorrupt, "memory: " + relative_path(file) + " is too short: " +
                                          std::to_string(content.size()) + " bytes");
  }
  return Bytes::copy_of(
      as_bytes(content).subspan(memory_size(range.offset), memory_size(range.length)));
}

Result<Bytes> MemoryStorage::read_all(const FileName& file, Deadline) {
  auto files = files_.lock();
  const auto found = files->find(file);
  if (found == files->end()) return not_there(file);
  return Bytes::copy_of(as_bytes(found->second));
}

Result<std::optional<std::uint64_t>> MemoryStorage::free_bytes(Deadline) {
  const std::optional<std::uint64_t> capacity = *capacity_.lock();
  if (!capacity) return std::nullopt;
  return *capacity - std::min(*capacity, taken_bytes());
}

std::uint64_t MemoryStorage::taken_bytes() {
  std::uint64_t taken = 0;
  auto files = files_.lock();
  for (const auto& [name, content] : *files) taken += content.size();
  return taken;
}

Status MemoryStorage::write(const FileName& file, ByteView content, Deadline by) {
  ASSIGN_OR_RETURN(const std::optional<std::uint64_t> room, free_bytes(by));
  if (room && *room < content.size()) {
    return Error(ErrorKind::kLocalIo, "memory: no space left for " + relative_path(file));
  }
  (*files_.lock())[file] = std::string(as_text(content));
  return {};
}

Status MemoryStorage::remove(const FileName& file, Deadline) {
  if (files_.lock()->erase(file) == 0) return not_there(file);
  return {};
}

}  // namespace restree
