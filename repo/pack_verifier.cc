#include "repo/pack_verifier.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "repo/format/zstd.h"

namespace restree {
namespace {

std::uint64_t end_of(const IndexedBlob& blob) { return std::uint64_t{blob.offset} + blob.length; }

// How many of the blobs lie within so many bytes; one at least.
std::size_t count_within(std::span<const IndexedBlob> blobs, std::uint64_t bytes) {
  std::size_t count = 1;
  while (count < blobs.size() && end_of(blobs[count]) - blobs[0].offset <= bytes) ++count;
  return count;
}

}  // namespace

// As much of the file as of the blob; where compressed blobs make the file the shorter one, it is
// done first.
void PackVerifier::hash(ByteView content) {
  const ByteView part = unhashed_.first(std::min(content.size(), unhashed_.size()));
  unhashed_ = unhashed_.subspan(part.size());
  hashes_.update(content, part);
}

bool PackVerifier::is_right(ByteView sealed, const IndexedBlob& blob) {
  PieceDecompressor frame(blob.raw_length, [this](ByteView piece) { hash(piece); });
  const bool is_compressed = blob.raw_length != 0;
  Status read = repository_.open_in_pieces(sealed, piece_.view(), [&](ByteView piece) -> Status {
    if (is_compressed) return frame.add(piece);
    hash(piece);
    return {};
  });
  if (read && is_compressed) read = frame.finish();
  // Called also after an error, so that the hash of the next blob begins anew.
  const BlobId id{hashes_.finish_first()};
  return read && id == blob.id;
}

const IndexedBlob* PackVerifier::add(ByteView bytes, std::uint64_t begin,
                                     std::span<const IndexedBlob> blobs) {
  unhashed_ = bytes;
  const IndexedBlob* wrong = nullptr;
  for (const IndexedBlob& blob : blobs) {
    if (is_right(bytes.subspan(memory_size(blob.offset - begin), blob.length), blob)) continue;
    wrong = &blob;
    break;
  }
  hashes_.update({}, std::exchange(unhashed_, {}));
  return wrong;
}

Result<VerifiedPack> verify_pack(const Repository& repository, std::span<const IndexedBlob> blobs,
                                 std::uint64_t file_bytes, std::uint64_t stretch_bytes,
                                 const ReadStretch& read) {
  PackVerifier verifier(repository);
  Bytes buffer;
  std::uint64_t at = 0;
  while (!blobs.empty()) {
    const auto here = blobs.first(count_within(blobs, stretch_bytes));
    blobs = blobs.subspan(here.size());
    ASSIGN_OR_RETURN(const ByteView bytes, read(buffer, {at, end_of(here.back()) - at}));
    if (const IndexedBlob* const wrong = verifier.add(bytes, at, here)) {
      return Error(ErrorKind::kCorrupt,
                   fmt::format("{} blob {} is damaged", to_string(wrong->type), wrong->id.hex()));
    }
    at = end_of(here.back());
  }
  ASSIGN_OR_RETURN(const ByteView rest, read(buffer, {at, file_bytes - std::min(at, file_bytes)}));
  verifier.add(rest);
  return VerifiedPack{verifier.finish(), Bytes::copy_of(rest)};
}

}  // namespace restree
