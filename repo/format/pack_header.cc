#include "repo/format/pack_header.h"

#include <algorithm>
#include <limits>
#include <string>

#include "repo/crypto/seal.h"

namespace restree {
namespace {

constexpr std::size_t kRawEntryBytes = 1 + 4 + 32;
constexpr std::size_t kCompressedEntryBytes = kRawEntryBytes + 4;

Error bad_header(const char* reason) {
  return {ErrorKind::kCorrupt, std::string("pack header: ") + reason};
}

}  // namespace

Result<std::vector<IndexedBlob>> parse_pack_header(ByteView header, std::uint64_t payload_size) {
  std::vector<IndexedBlob> blobs;
  blobs.reserve(header.size() / kRawEntryBytes);
  std::uint64_t offset = 0;
  while (!header.empty()) {
    const auto kind = std::to_integer<unsigned>(header.front());
    if (kind > 3) {
      return Error(ErrorKind::kUnsupported,
                   "pack header: unknown blob type " + std::to_string(kind));
    }
    const bool compressed = kind >= 2;
    const std::size_t entry_bytes = compressed ? kCompressedEntryBytes : kRawEntryBytes;
    if (header.size() < entry_bytes) return bad_header("an entry is cut short");
    IndexedBlob blob{};
    blob.type = kind % 2 == 0 ? BlobType::kData : BlobType::kTree;
    blob.length = load_u32le(&header[1]);
    if (compressed) blob.raw_length = load_u32le(&header[5]);
    std::ranges::copy(header.subspan(entry_bytes - 32, 32), blob.id.bytes.begin());
    if (blob.length < kSealOverheadBytes) return bad_header("a blob is too short");
    if (compressed && blob.raw_length == 0) return bad_header("a compressed blob of no bytes");
    if (blob.length > std::numeric_limits<std::uint32_t>::max() - offset) {
      return bad_header("the blobs exceed 4 GiB");
    }
    blob.offset = static_cast<std::uint32_t>(offset);
    offset += blob.length;
    blobs.push_back(blob);
    header = header.subspan(entry_bytes);
  }
  if (offset != payload_size) return bad_header("the blobs do not fill the pack");
  return blobs;
}

std::size_t pack_header_entry_bytes(const IndexedBlob& blob) {
  return blob.raw_length == 0 ? kRawEntryBytes : kCompressedEntryBytes;
}

Bytes write_pack_header(std::span<const IndexedBlob> blobs) {
  std::size_t size = 0;
  for (const IndexedBlob& blob : blobs) size += pack_header_entry_bytes(blob);
  Bytes header(size);
  std::byte* at = header.data();
  for (const IndexedBlob& blob : blobs) {
    const bool compressed = blob.raw_length != 0;
    *at++ = static_cast<std::byte>((blob.type == BlobType::kTree ? 1 : 0) + (compressed ? 2 : 0));
    at = store_u32le(blob.length, at);
    if (compressed) at = store_u32le(blob.raw_length, at);
    at = std::ranges::copy(blob.id.bytes, at).out;
  }
  return header;
}

}  // namespace restree
