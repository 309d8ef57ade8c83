#include "repo/writer/joined_pack.h"

#include <algorithm>

#include "repo/crypto/seal.h"
#include "repo/format/pack_header.h"
#include "repo/pack_verifier.h"

namespace restree {
namespace {

Result<Bytes> sealed_header(const Repository& repository, std::span<const IndexedBlob> blobs) {
  const Bytes header = write_pack_header(blobs);
  const std::size_t sealed_bytes = header.size() + kSealOverheadBytes;
  Bytes end(sealed_bytes + sizeof(std::uint32_t));
  RETURN_IF_ERROR(repository.seal_into(header, end.view().first(sealed_bytes)));
  store_u32le(static_cast<std::uint32_t>(sealed_bytes), end.data() + sealed_bytes);
  return end;
}

}  // namespace

JoinedPack::JoinedPack(std::span<const PlacedBlob> blobs) {
  blobs_.reserve(blobs.size());
  file_bytes_ = kPackOverheadBytes;
  const PlacedBlob* before = nullptr;
  for (const PlacedBlob& placed : blobs) {
    const bool follows =
        before != nullptr && before->pack == placed.pack &&
        std::uint64_t{before->blob.offset} + before->blob.length == placed.blob.offset;
    if (follows) {
      ranges_.back().range.length += placed.blob.length;
    } else {
      ranges_.push_back(
          {{FileType::kPack, placed.pack.hex()}, {placed.blob.offset, placed.blob.length}});
    }
    before = &placed;
    IndexedBlob& moved = blobs_.emplace_back(placed.blob);
    moved.offset = static_cast<std::uint32_t>(payload_bytes_);
    payload_bytes_ += moved.length;
    file_bytes_ += moved.length + pack_header_entry_bytes(moved);
  }
}

Result<PackId> JoinedPack::store(const Repository& repository, Deadline by,
                                 const std::stop_token& stop) const {
  ASSIGN_OR_RETURN(const Bytes end, sealed_header(repository, blobs_));
  PackId id;
  const auto name = [&](const ReadJoined& read) -> Result<FileName> {
    const auto read_on = [&](Bytes& buffer, ByteRange range) -> Result<MutableByteView> {
      if (stop.stop_requested()) return Error(ErrorKind::kCancelled, "interrupted");
      return read(buffer, range);
    };
    ASSIGN_OR_RETURN(const VerifiedPack pack,
                     verify_pack(repository, blobs_, file_bytes_, kReadBytes, read_on));
    if (!std::ranges::equal(pack.end.view(), end.view())) {
      return Error(ErrorKind::kCorrupt, "the header of a pack arrived otherwise than it was sent");
    }
    id = pack.id;
    return FileName{FileType::kPack, id.hex()};
  };
  RETURN_IF_ERROR(repository.storage().join(ranges_, end, name, by));
  return id;
}

}  // namespace restree
