#include "repo/format/zstd.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace restree {
namespace {

constexpr std::size_t kFirstOutputBytes = 4096;
constexpr int kCompressionLevel = 3;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// This thread's context; null if there is no memory for one.
ZSTD_DCtx* context_of_this_thread() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

Error zstd_error(std::size_t code) {
  return {ErrorKind::kCorrupt, std::string("zstd: ") + ZSTD_getErrorName(code)};
}
Error no_context() { return {ErrorKind::kLocalIo, "zstd: out of memory"}; }
Error too_large() { return {ErrorKind::kCorrupt, "zstd: more bytes than anything here has"}; }

// Grows the output as it fills up.
Result<Bytes> decompress_stream(ByteView frame, std::size_t limit_bytes) {
  ZSTD_DCtx* const context = context_of_this_thread();
  if (context == nullptr) return no_context();
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  Bytes raw(std::min(limit_bytes, std::max(kFirstOutputBytes, 4 * frame.size())));
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  ZSTD_outBuffer out{raw.data(), raw.size(), 0};
  for (;;) {
    const std::size_t code = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(code) != 0) return zstd_error(code);
    if (code == 0 && in.pos == in.size) break;
    if (out.pos < out.size) {
      if (in.pos == in.size) return Error(ErrorKind::kCorrupt, "zstd: the frame ends early");
      continue;
    }
    if (raw.size() == limit_bytes) return too_large();
    Bytes larger(std::min(limit_bytes, 2 * raw.size()));
    std::memcpy(larger.data(), raw.data(), out.pos);
    raw = std::move(larger);
    out = {raw.data(), raw.size(), out.pos};
  }
  return Bytes::copy_of(raw.view().first(out.pos));
}

}  // namespace

Status decompress_into(ByteView frame, MutableByteView raw) {
  ZSTD_DCtx* const context = context_of_this_thread();
  if (context == nullptr) return no_context();
  const std::size_t size =
      ZSTD_decompressDCtx(context, raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) return zstd_error(size);
  if (size != raw.size()) {
    return Error(ErrorKind::kCorrupt, "zstd: " + std::to_string(size) + " bytes instead of " +
                                          std::to_string(raw.size()));
  }
  return {};
}

Result<Bytes> decompress(ByteView frame, std::size_t limit_bytes) {
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return Error(ErrorKind::kCorrupt, "zstd: not a frame");
  const bool whole = ZSTD_findFrameCompressedSize(frame.data(), frame.size()) == frame.size();
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || !whole) return decompress_stream(frame, limit_bytes);
  if (size > limit_bytes) return too_large();
  Bytes raw(static_cast<std::size_t>(size));
  RETURN_IF_ERROR(decompress_into(frame, raw.view()));
  return raw;
}

Result<Bytes> compress(ByteView raw) {
  Bytes frame(ZSTD_compressBound(raw.size()));
  const std::size_t size =
      ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), kCompressionLevel);
  if (ZSTD_isError(size) != 0) {
    return Error(ErrorKind::kLocalIo, std::string("zstd: ") + ZSTD_getErrorName(size));
  }
  frame.remove_suffix(frame.size() - size);
  return frame;
}

}  // namespace restree
