#include "repo/storage/decorators/noting_storage.h"

namespace restree {
namespace {

bool is_noted(FileType type) { return type != FileType::kLock && type != FileType::kPack; }

}  // namespace

NotingStorage::Noted NotingStorage::noted(FileType type) const {
  const auto state = state_.lock();
  const auto found = state->noted.find(type);
  return found == state->noted.end() ? Noted() : found->second;
}

void NotingStorage::forget_listed(FileType type, std::chrono::system_clock::time_point listed_at) {
  auto state = state_.lock();
  const auto found = state->noted.find(type);
  if (found == state->noted.end() || found->second.listed_at != listed_at) return;
  found->second.listed = std::nullopt;
}

Result<std::vector<ListedFile>> NotingStorage::list(FileType type, Deadline by) {
  const auto asked_at = std::chrono::system_clock::now();
  Result<std::vector<ListedFile>> files = inner().list(type, by);
  if (files && is_noted(type)) {
    std::set<std::string> names;
    for (const ListedFile& file : *files) names.insert(file.name);
    auto state = state_.lock();
    Noted& noted = state->noted[type];
    noted.listed = std::move(names);
    noted.listed_at = asked_at;
  }
  return files;
}

Status NotingStorage::write(const FileName& file, ByteView content, Deadline by) {
  Status written = inner().write(file, content, by);
  // After a failure nobody knows whether it is there: the next listing shows it, and it is ours.
  if (is_noted(file.type)) {
    auto state = state_.lock();
    Noted& noted = state->noted[file.type];
    noted.removed.erase(file.name);
    if (written) noted.written.insert(file.name);
  }
  return written;
}

Status NotingStorage::remove(const FileName& file, Deadline by) {
  if (is_noted(file.type)) {
    const bool is_first = state_.lock()->removing.insert(file.type).second;
    if (is_first && before_removal_) before_removal_(file.type);
  }
  Status removed = inner().remove(file, by);
  const bool is_gone = removed || removed.error().kind() == ErrorKind::kNotFound;
  if (is_noted(file.type) && is_gone) {
    auto state = state_.lock();
    Noted& noted = state->noted[file.type];
    noted.written.erase(file.name);
    noted.removed.insert(file.name);
  }
  return removed;
}

}  // namespace restree
