#include "repo/pack_file.h"

#include <fmt/core.h>

#include "repo/crypto/seal.h"
#include "repo/format/pack_header.h"

namespace restree {
namespace {

// The length behind the header.
constexpr std::size_t kLengthBytes = 4;

}  // namespace

Result<std::vector<IndexedBlob>> blobs_in_pack(const Repository& repository, ByteView file,
                                               std::uint64_t missing_bytes) {
  if (file.size() < kLengthBytes) return Error(ErrorKind::kCorrupt, "file is too short");
  const std::size_t length = load_u32le(file.data() + file.size() - kLengthBytes);
  if (length > file.size() - kLengthBytes || length < kSealOverheadBytes) {
    return Error(ErrorKind::kCorrupt, fmt::format("header length {} is not possible", length));
  }
  const std::size_t payload = file.size() - kLengthBytes - length;
  Bytes header(length - kSealOverheadBytes);
  if (Status opened = repository.open_into(file.subspan(payload, length), header.view()); !opened) {
    return std::move(opened).error().with("header");
  }
  auto blobs = parse_pack_header(header, missing_bytes + payload);
  if (!blobs) return std::move(blobs).error().with("header");
  return blobs;
}

}  // namespace restree
