// zstd frames as repositories hold them. Several in a row count as one, as in every decoder.
//
// Threads: any; each keeps its own context. Errors: kLocalIo if there is no memory for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "repo/base/bytes.h"
#include "repo/base/result.h"
#include "repo/base/scratch_buffer.h"

namespace restree {

// Exactly `raw.size()` bytes, into memory that the caller owns. kCorrupt otherwise.
Status decompress_into(ByteView frame, MutableByteView raw);

class Decompressor;

// The same from pieces into pieces, which stay in a processor's cache, for callers that need each
// byte only once. A piece is valid during its call of `take`. kCorrupt also after some were handed
// out.
// Threads: one at a time.
class PieceDecompressor {
 public:
  PieceDecompressor(std::size_t raw_size, std::function<void(ByteView)> take);
  ~PieceDecompressor();
  PieceDecompressor(const PieceDecompressor&) = delete;
  PieceDecompressor& operator=(const PieceDecompressor&) = delete;
  Status add(ByteView piece);
  // To be called after the last piece. kCorrupt: the frame is not whole, or not of that size.
  Status finish() const;

 private:
  const std::size_t raw_size_;
  const std::function<void(ByteView)> take_;
  const std::unique_ptr<Decompressor> decompressor_;
  std::size_t total_ = 0;
  bool has_ended_ = false;
};

// A frame whose size is not known beforehand; kCorrupt if it would exceed `limit_bytes`.
Result<Bytes> decompress(ByteView frame, std::size_t limit_bytes);

// False if several places of a large blob gain nothing: media and archives, where compressing in
// earnest would cost more than all else that is done to them.
Result<bool> looks_compressible(ByteView raw);

// A frame that holds the bytes as they are, in raw blocks: what compress_into() comes to where
// nothing can be gained, without its memory.
std::size_t raw_frame_size(std::size_t raw_size);
// `frame` is of that size, and apart from `raw`.
void write_raw_frame(ByteView raw, MutableByteView frame);

// What restic calls its modes; kOff leaves data blobs as they are, and nothing else.
enum class Compression : std::uint8_t { kAuto, kOff, kFastest, kBetter, kMax };
// By restic's name for it.
std::optional<Compression> parse_compression(std::string_view name);

// One frame without a checksum, at the level of a mode other than kOff: a view of `scratch`, good
// until its next use.
Result<ByteView> compress_into(ByteView raw, Compression mode, ScratchBuffer& scratch);

}  // namespace restree
