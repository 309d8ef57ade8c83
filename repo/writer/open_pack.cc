#include "repo/writer/open_pack.h"

#include "repo/crypto/seal.h"

namespace restree {

std::size_t OpenPack::bytes_for(const IndexedBlob& blob) {
  return blob.length + pack_header_entry_bytes(blob) + kPackOverheadBytes;
}

std::optional<MutableByteView> OpenPack::reserve(IndexedBlob blob) {
  const std::size_t used = payload_bytes_ + header_bytes_;
  if (is_full() || buffer_.size() - used < bytes_for(blob)) return std::nullopt;
  blob.offset = static_cast<std::uint32_t>(payload_bytes_);
  payload_bytes_ += blob.length;
  header_bytes_ += pack_header_entry_bytes(blob);
  ++unfilled_;
  blobs_.push_back(blob);
  return buffer_.view().subspan(blob.offset, blob.length);
}

bool OpenPack::is_full() const {
  return payload_bytes_ >= target_bytes_ || blobs_.size() >= kMostNewPackEntries;
}

Result<ByteView> OpenPack::finish(const Repository& repository) {
  const Bytes header = write_pack_header(blobs_);
  const std::size_t sealed_bytes = header.size() + kSealOverheadBytes;
  RETURN_IF_ERROR(
      repository.seal_into(header, buffer_.view().subspan(payload_bytes_, sealed_bytes)));
  store_u32le(static_cast<std::uint32_t>(sealed_bytes),
              buffer_.data() + payload_bytes_ + sealed_bytes);
  return ByteView(buffer_).first(payload_bytes_ + header_bytes_ + kPackOverheadBytes);
}

}  // namespace restree
