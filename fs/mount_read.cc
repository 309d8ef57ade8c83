// The part of Mount that turns blobs into the bytes of files.
#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <utility>

#include "fs/mount.h"
#include "repo/crypto/sha256.h"

namespace restree {
namespace {

bool is_zeros_of(const BlobId& id, std::uint64_t length) {
  Bytes zeros(length);
  std::fill(zeros.view().begin(), zeros.view().end(), std::byte{0});
  return sha256(zeros) == id.bytes;
}

}  // namespace

Result<Mount::Slices> Mount::read(std::uint64_t inode, std::uint64_t offset, std::size_t size) {
  if (hidden_files_.holds(inode)) return hidden_files_.read(inode, offset, size);
  const Deadline by = deadline();
  ASSIGN_OR_RETURN(const Located file, locate(inode, by));
  if (file.node.type != NodeType::kFile) {
    return Error(ErrorKind::kInvalid, "only files can be read");
  }
  const auto layout = layouts_.layout_of(file.tree_id, file.place.position, file.node);
  Slices slices;
  if (offset >= layout->size()) return slices;
  const std::uint64_t end = std::min<std::uint64_t>(layout->size(), offset + size);
  reading_ahead_.file_is_read({.inode = inode,
                               .directory = file.place.parent,
                               .tree = file.tree,
                               .position = file.place.position},
                              *layout, offset, end,
                              [&] { return way_to(inode, ReadingAhead::kMostSteps).steps; });

  while (offset < end) {
    const FileLayout::Piece piece = layout->piece_at(offset);
    const auto fail = [&](Error error) {
      return failures_.report(
          std::move(error), inode,
          fmt::format("read bytes {} to {}", piece.file_offset, piece.file_offset + piece.length));
    };
    const BlobId& id = file.node.content[piece.blob];
    if (!piece.placed) {
      return fail({ErrorKind::kCorrupt, "no index names several blobs of the file, the first is " +
                                            id.hex() + "; where they begin cannot be told"});
    }
    Result<SharedBlob> blob = blobs_.load(BlobType::kData, id, by);
    if (!blob) return fail(std::move(blob).error());
    const std::uint64_t skip = offset - piece.file_offset;
    if ((*blob)->size() != piece.length) {
      return fail({ErrorKind::kCorrupt, fmt::format("blob {} has {} bytes where the file needs {}",
                                                    id.hex(), (*blob)->size(), piece.length)});
    }
    const std::uint64_t length = std::min(end, piece.file_offset + piece.length) - offset;
    slices.views.push_back((*blob)->view().subspan(skip, length));
    slices.blobs.push_back(std::move(*blob));
    offset += length;
    served_bytes_ += length;
  }
  ++reads_;
  return slices;
}

Result<std::optional<std::uint64_t>> Mount::seek(std::uint64_t inode, std::uint64_t offset,
                                                 bool data) {
  if (hidden_files_.holds(inode)) return hidden_files_.seek(inode, offset, data);
  ASSIGN_OR_RETURN(const Located file, locate(inode, deadline()));
  const auto layout = layouts_.layout_of(file.tree_id, file.place.position, file.node);
  if (file.node.type != NodeType::kFile || offset >= layout->size()) {
    return std::optional<std::uint64_t>();
  }
  while (offset < layout->size()) {
    const FileLayout::Piece piece = layout->piece_at(offset);
    const BlobId& id = file.node.content[piece.blob];
    const bool last = piece.file_offset + piece.length == layout->size();
    // The last chunk of a hole is shorter than the others, so it has a hash of its own.
    const bool hole =
        piece.placed && (id == zero_blob_id() ||
                         (last && piece.length < kZeroBlobBytes && is_zeros_of(id, piece.length)));
    if (hole != data) return std::optional(offset);
    offset = piece.file_offset + piece.length;
  }
  if (data) return std::optional<std::uint64_t>();
  return std::optional(layout->size());
}

}  // namespace restree
