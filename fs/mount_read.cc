// The part of Mount that turns blobs into the bytes of files.
#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "fs/mount.h"
#include "repo/crypto/sha256.h"

namespace restree {
namespace {

bool is_zeros_of(const BlobId& id, std::uint64_t length) {
  Bytes zeros(length);
  std::fill(zeros.view().begin(), zeros.view().end(), std::byte{0});
  return sha256(zeros) == id.bytes;
}

// Somebody's turn, or nobody's if another one has it.
class Turn {
 public:
  explicit Turn(std::atomic<bool>& is_taken)
      : taken_(is_taken.exchange(true) ? nullptr : &is_taken) {}
  ~Turn() {
    if (taken_ != nullptr) *taken_ = false;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool is_ours() const { return taken_ != nullptr; }

 private:
  std::atomic<bool>* const taken_;
};

}  // namespace

// Waits for room for all of it first, so that no read that has some of its blobs waits for others;
// the time limit begins after that.
Status Mount::collect(std::uint64_t inode, const Node& node, const FileLayout& layout, Ahead wanted,
                      Slices& slices) {
  const auto fail_at = [&](const FileLayout::Piece& piece, Error error) {
    return fail(
        std::move(error), inode,
        fmt::format("read bytes {} to {}", piece.file_offset, piece.file_offset + piece.length));
  };
  std::vector<FileLayout::Piece> pieces;
  std::vector<BlobRoom::Part> parts;
  for (std::uint64_t offset = wanted.begin; offset < wanted.end;) {
    const FileLayout::Piece& piece = pieces.emplace_back(layout.piece_at(offset));
    const BlobId& id = node.content[piece.blob];
    if (!piece.placed) {
      return fail_at(
          piece, {ErrorKind::kCorrupt, "no index names several blobs of the file, the first is " +
                                           id.hex() + "; where they begin cannot be told"});
    }
    const std::uint64_t length = std::min(wanted.end, piece.file_offset + piece.length) - offset;
    parts.push_back({.id = id,
                     .blob_bytes = memory_size(piece.length),
                     .begin = memory_size(offset - piece.file_offset),
                     .length = memory_size(length)});
    offset += length;
  }
  const auto reading = std::make_shared<BlobRoom::Reading>(
      blobs_.start(parts, {.reader = inode, .offset = wanted.begin, .goes_on = wanted.goes_on}));
  const Deadline by = deadline();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Result<BlobRoom::Reading::Found> found = reading->load(i, by);
    if (!found) return fail_at(pieces[i], std::move(found).error());
    if (!found->is_whole) {
      return fail_at(pieces[i],
                     {ErrorKind::kCorrupt,
                      fmt::format("blob {} has {} bytes where the file needs {}", parts[i].id.hex(),
                                  found->blob->size(), parts[i].blob_bytes)});
    }
    slices.views.push_back(found->blob->view().subspan(found->begin, parts[i].length));
    slices.blobs.push_back(std::move(found->blob));
    served_bytes_ += parts[i].length;
  }
  slices.room = reading;
  return {};
}

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
  const bool goes_on = reading_ahead_.file_is_read(
      {.inode = inode,
       .directory = file.place.parent,
       .tree = file.tree,
       .position = file.place.position},
      *layout, offset, end, [&] { return way_to(inode, ReadingAhead::kMostSteps).steps; });
  RETURN_IF_ERROR(collect(inode, file.node, *layout, {offset, end, goes_on}, slices));
  if (offset == 0 && end == layout->size()) slices.next = files_after(inode, file);
  ++reads_;
  return slices;
}

NextFiles Mount::files_after(std::uint64_t inode, const Located& file) {
  if (!is_small_file(file.node)) return {};
  const std::uint64_t directory = file.place.parent;
  const FilesAhead::Range range =
      files_ahead_.file_is_read(directory, *file.tree, file.place.position);
  if (range.empty()) return {};
  const auto way = [&] {
    std::vector<WalkAhead::Step> steps = way_to(inode, ReadingAhead::kMostSteps).steps;
    if (!steps.empty()) steps.back().position = range.end - 1;
    return steps;
  };
  reading_ahead_.files_are_given(
      {.inode = inode, .directory = directory, .tree = file.tree, .position = range.end - 1},
      range.begin, way);
  return {.directory = directory,
          .view = file.place.view,
          .tree = file.tree,
          .begin = range.begin,
          .end = range.end};
}

// The room of a reading is given back here, not once the kernel has the bytes: the kernel may want
// another answer before it takes them, and that answer may need the room.
SharedBlob Mount::content_at_hand(const Node& small_file) {
  const BlobId& id = small_file.content.front();
  const auto size = repository_.blob_size(BlobType::kData, id);
  if (!size || *size == 0 || blobs_.is_short()) return nullptr;
  // From afar only what has come already, or is on its way.
  if (options_.fetcher != nullptr && !blobs_.knows(id)) return nullptr;
  const BlobRoom::Part whole{.id = id, .blob_bytes = *size, .begin = 0, .length = *size};
  auto reading = blobs_.start(std::span(&whole, 1), {});
  auto found = reading.load(0, deadline());
  if (!found || !found->is_whole) return nullptr;
  return std::move(found->blob);
}

void Mount::give_ahead(const NextFiles& files, const Give& give) {
  if (files.tree == nullptr) return;
  const Turn turn(is_giving_);
  const CompactTree::Nodes nodes = files.tree->nodes();
  std::uint32_t position = files.begin;
  for (; turn.is_ours() && position < files.end; ++position) {
    const Node node = nodes[position];
    if (!is_small_file(node)) continue;
    const std::uint64_t inode =
        number_of(files.directory, {.tree = {}, .view = files.view}, node, position);
    const std::optional<Inodes::Known> known = inodes_.find(inode);
    const Place wanted{files.directory, position, files.view};
    if (!known || known->place != wanted) continue;
    const SharedBlob content = content_at_hand(node);
    if (content == nullptr || !give(inode, content->view())) break;
    ++given_files_;
    served_bytes_ += content->size();
  }
  if (position < files.end) files_ahead_.is_given_until(files.directory, position);
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
