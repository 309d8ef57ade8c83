#include "repo/format/unpacked.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

#include "repo/base/scratch_buffer.h"
#include "repo/format/zstd.h"

namespace restree {
namespace {

// The largest index that restic writes, of some 450,000 blobs, is a tenth of this.
constexpr std::size_t kLimitBytes = std::size_t{1} << 30;

constexpr std::byte kCompressed{0x02};

bool starts_json(std::byte first) { return first == std::byte{'{'} || first == std::byte{'['}; }

}  // namespace

Result<Bytes> open_unpacked(const SealKey& key, Bytes file) {
  RETURN_IF_ERROR(open_in_place(key, file.view()));
  file.remove_prefix(kSealIvBytes);
  file.remove_suffix(kSealMacBytes);
  if (file.empty() || starts_json(file.view().front())) return file;
  if (file.view().front() == kCompressed) {
    return decompress(file.view().subspan(1), kLimitBytes);
  }
  return Error(ErrorKind::kUnsupported,
               "an encoding that starts with byte 0x" + to_hex(file.view().first(1)));
}

Result<Bytes> seal_unpacked(const SealKey& key, std::uint32_t version, ByteView json) {
  if (version == 1) return seal(key, json);
  ScratchBuffer scratch;
  ASSIGN_OR_RETURN(const ByteView frame, compress_into(json, Compression::kAuto, scratch));
  // An index file has megabytes: they go straight to where they are sealed.
  Bytes sealed(1 + frame.size() + kSealOverheadBytes);
  const MutableByteView marked = sealed.view().subspan(kSealIvBytes, 1 + frame.size());
  marked.front() = kCompressed;
  std::memcpy(marked.data() + 1, frame.data(), frame.size());
  RETURN_IF_ERROR(seal_into(key, marked, sealed.view()));
  return sealed;
}

}  // namespace restree
