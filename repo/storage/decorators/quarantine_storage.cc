#include "repo/storage/decorators/quarantine_storage.h"

#include <algorithm>
#include <utility>

namespace restree {
namespace {

// What cannot be read of a file is given up in such pieces.
constexpr std::uint64_t kPiece = 4096;

bool is_kept(FileType type) {
  return type == FileType::kPack || type == FileType::kIndex || type == FileType::kSnapshot;
}

}  // namespace

Status QuarantineStorage::keep(const FileName& file, ByteView content, Deadline by) {
  Status written = kept_->write(file, content, by);
  if (written || written.error().kind() != ErrorKind::kNotFound) return written;
  // Where no config lies, a storage makes no folder by itself.
  RETURN_IF_ERROR(kept_->make_folders(by));
  return kept_->write(file, content, by);
}

Result<Bytes> QuarantineStorage::read_whole(const FileName& file, Deadline by) {
  auto content = inner().read_all(file, by);
  if (content || content.error().kind() != ErrorKind::kCorrupt) return content;
  ASSIGN_OR_RETURN(const std::uint64_t size, inner().size(file, by));
  RETURN_IF_ERROR(expect_file_size(file, size));
  Bytes readable(size);
  std::ranges::fill(readable.view(), std::byte{0});
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    const ByteRange range{at, std::min(kPiece, size - at)};
    const auto piece = inner().read(file, range, by);
    if (!piece && piece.error().kind() != ErrorKind::kCorrupt) return piece.error();
    if (piece) std::ranges::copy(piece->view(), readable.view().subspan(memory_size(at)).begin());
  }
  return readable;
}

Status QuarantineStorage::remove(const FileName& file, Deadline by) {
  if (!is_kept(file.type)) return inner().remove(file, by);
  auto content = read_whole(file, by);
  if (!content && content.error().kind() == ErrorKind::kNotFound) return content.error();
  Status kept = content ? keep(file, content->view(), by) : Status(content.error());
  if (!kept) {
    return std::move(kept).error().with(relative_path(file) +
                                        " was not removed, as no copy can be kept in " +
                                        kept_->description());
  }
  return inner().remove(file, by);
}

std::string quarantine_inside(const std::string& location) {
  const bool is_complete = location.ends_with('/') || location.ends_with(':');
  return location + (is_complete ? "" : "/") + "quarantine";
}

}  // namespace restree
