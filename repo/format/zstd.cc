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
constexpr int kDefaultLevel = 3;
// Little more than a copy.
constexpr int kLeastLevel = -20;
// Blobs from this size on are tried by samples first.
constexpr std::size_t kSampledBytes = 128 << 10;
constexpr std::size_t kSampleBytes = 4 << 10;
constexpr std::size_t kSamples = 8;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
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

int level_of(Compression mode) {
  switch (mode) {
    case Compression::kFastest:
      return 1;
    case Compression::kBetter:
      return 7;
    case Compression::kMax:
      return 11;
    case Compression::kAuto:
    case Compression::kOff:
      break;
  }
  return kDefaultLevel;
}

// False if several places of a large blob gain nothing: media and archives, where trying in earnest
// would cost more than all else that is done to them.
bool looks_compressible(ZSTD_CCtx* context, ByteView raw, MutableByteView scratch) {
  if (raw.size() < kSampledBytes) return true;
  const std::size_t step = (raw.size() - kSampleBytes) / (kSamples - 1);
  for (std::size_t i = 0; i < kSamples; ++i) {
    const ByteView sample = raw.subspan(i * step, kSampleBytes);
    const std::size_t size =
        ZSTD_compressCCtx(context, scratch.data(), scratch.size(), sample.data(), sample.size(), 1);
    if (ZSTD_isError(size) != 0 || size < kSampleBytes - kSampleBytes / 32) return true;
  }
  return false;
}

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

std::optional<Compression> parse_compression(std::string_view name) {
  if (name == "auto") return Compression::kAuto;
  if (name == "off") return Compression::kOff;
  if (name == "fastest") return Compression::kFastest;
  if (name == "better") return Compression::kBetter;
  if (name == "max") return Compression::kMax;
  return std::nullopt;
}

Result<Bytes> compress(ByteView raw) {
  ScratchBuffer scratch;
  ASSIGN_OR_RETURN(const ByteView frame, compress_into(raw, Compression::kAuto, scratch));
  return Bytes::copy_of(frame);
}

Result<ByteView> compress_into(ByteView raw, Compression mode, ScratchBuffer& scratch) {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  if (context == nullptr) return no_context();
  const MutableByteView frame = scratch.view_of(ZSTD_compressBound(raw.size()));
  const int level = mode == Compression::kMax || looks_compressible(context.get(), raw, frame)
                        ? level_of(mode)
                        : kLeastLevel;
  const std::size_t size =
      ZSTD_compressCCtx(context.get(), frame.data(), frame.size(), raw.data(), raw.size(), level);
  if (ZSTD_isError(size) != 0) {
    return Error(ErrorKind::kLocalIo, std::string("zstd: ") + ZSTD_getErrorName(size));
  }
  return ByteView(frame).first(size);
}

}  // namespace restree
