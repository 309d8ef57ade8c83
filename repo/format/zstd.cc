#include "repo/format/zstd.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "repo/base/guarded.h"

namespace restree {
namespace {

constexpr std::size_t kFirstOutputBytes = 4096;
constexpr std::size_t kPieceBytes = 128 << 10;
constexpr std::size_t kRawBlock = 128 << 10;  // the most that a block may hold
constexpr std::size_t kRawFrameHead = 10;
constexpr std::size_t kBlockHead = 3;
constexpr int kDefaultLevel = 3;
// Blobs from this size on are tried by samples first.
constexpr std::size_t kSampledBytes = 128 << 10;
constexpr std::size_t kSampleBytes = 4 << 10;
constexpr std::size_t kSamples = 8;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// Contexts for decompressing, shared by all threads: each takes 160 KiB, and a mount may have a
// thousand threads, most of which wait.
class SpareContexts {
 public:
  using Context = std::unique_ptr<ZSTD_DCtx, FreeContext>;

  static SpareContexts& instance() {
    // Never destroyed: a thread may end after main's statics do.
    static auto* contexts = new SpareContexts();
    return *contexts;
  }
  // nullptr: there is no memory for one.
  Context take() {
    if (auto spare = spare_.lock(); !spare->empty()) {
      Context context = std::move(spare->back());
      spare->pop_back();
      return context;
    }
    return Context(ZSTD_createDCtx());
  }
  void give_back(Context context) {
    auto spare = spare_.lock();
    if (spare->size() < kMostSpare) spare->push_back(std::move(context));
  }

 private:
  static constexpr std::size_t kMostSpare = 16;
  SpareContexts() { spare_.lock()->reserve(kMostSpare); }
  Guarded<std::vector<Context>> spare_;
};

}  // namespace

// A context for as long as this lives.
class Decompressor {
 public:
  Decompressor() : context_(SpareContexts::instance().take()) {}
  ~Decompressor() {
    if (context_ != nullptr) SpareContexts::instance().give_back(std::move(context_));
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  // nullptr: there is no memory for one.
  ZSTD_DCtx* get() const { return context_.get(); }

 private:
  SpareContexts::Context context_;
};

namespace {

// This thread's context; null if there is no memory for one.
ZSTD_CCtx* compressor_of_this_thread() {
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  return context.get();
}

Error zstd_error(std::size_t code) {
  return {ErrorKind::kCorrupt, std::string("zstd: ") + ZSTD_getErrorName(code)};
}
Error no_context() { return {ErrorKind::kLocalIo, "zstd: out of memory"}; }
Error wrong_size(std::size_t size, std::size_t wanted) {
  return {ErrorKind::kCorrupt,
          "zstd: " + std::to_string(size) + " bytes instead of " + std::to_string(wanted)};
}
Error too_large() { return {ErrorKind::kCorrupt, "zstd: more bytes than the limit allows"}; }

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

// Grows the output as it fills up.
Result<Bytes> decompress_stream(ByteView frame, std::size_t limit_bytes) {
  const Decompressor decompressor;
  ZSTD_DCtx* const context = decompressor.get();
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
  const Decompressor decompressor;
  ZSTD_DCtx* const context = decompressor.get();
  if (context == nullptr) return no_context();
  const std::size_t size =
      ZSTD_decompressDCtx(context, raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0) return zstd_error(size);
  if (size != raw.size()) return wrong_size(size, raw.size());
  return {};
}

PieceDecompressor::PieceDecompressor(std::size_t raw_size, std::function<void(ByteView)> take)
    : raw_size_(raw_size), take_(std::move(take)), decompressor_(std::make_unique<Decompressor>()) {
  ZSTD_DCtx* const context = decompressor_->get();
  if (context != nullptr) ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
}

PieceDecompressor::~PieceDecompressor() = default;

Status PieceDecompressor::add(ByteView piece) {
  ZSTD_DCtx* const context = decompressor_->get();
  if (context == nullptr) return no_context();
  thread_local Bytes into(kPieceBytes);
  ZSTD_inBuffer in{piece.data(), piece.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    const std::size_t code = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(code) != 0) return zstd_error(code);
    has_ended_ = code == 0;
    total_ += out.pos;
    if (total_ > raw_size_) return wrong_size(total_, raw_size_);
    take_(into.view().first(out.pos));
    // A full buffer may mean that there is more to come of the same input.
    if (in.pos == in.size && (has_ended_ || out.pos < out.size)) return {};
  }
}

Status PieceDecompressor::finish() const {
  if (!has_ended_) return Error(ErrorKind::kCorrupt, "zstd: the frame ends early");
  if (total_ != raw_size_) return wrong_size(total_, raw_size_);
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

Result<ByteView> compress_into(ByteView raw, Compression mode, ScratchBuffer& scratch) {
  ZSTD_CCtx* const context = compressor_of_this_thread();
  if (context == nullptr) return no_context();
  const MutableByteView frame = scratch.view_of(ZSTD_compressBound(raw.size()));
  const std::size_t size = ZSTD_compressCCtx(context, frame.data(), frame.size(), raw.data(),
                                             raw.size(), level_of(mode));
  if (ZSTD_isError(size) != 0) {
    return Error(ErrorKind::kLocalIo, std::string("zstd: ") + ZSTD_getErrorName(size));
  }
  return ByteView(frame).first(size);
}

Result<bool> looks_compressible(ByteView raw) {
  if (raw.size() < kSampledBytes) return true;
  ZSTD_CCtx* const context = compressor_of_this_thread();
  if (context == nullptr) return no_context();
  std::array<std::byte, 2 * kSampleBytes> out;
  const std::size_t step = (raw.size() - kSampleBytes) / (kSamples - 1);
  for (std::size_t i = 0; i < kSamples; ++i) {
    const ByteView sample = raw.subspan(i * step, kSampleBytes);
    const std::size_t size =
        ZSTD_compressCCtx(context, out.data(), out.size(), sample.data(), sample.size(), 1);
    if (ZSTD_isError(size) != 0 || size < kSampleBytes - kSampleBytes / 32) return true;
  }
  return false;
}

// RFC 8878, 3.1.1: magic number, descriptor, window, content size; then blocks, each behind 3
// bytes.
std::size_t raw_frame_size(std::size_t raw_size) {
  const std::size_t blocks = std::max<std::size_t>(1, (raw_size + kRawBlock - 1) / kRawBlock);
  return kRawFrameHead + blocks * kBlockHead + raw_size;
}

void write_raw_frame(ByteView raw, MutableByteView frame) {
  assert(raw.size() <= UINT32_MAX && frame.size() == raw_frame_size(raw.size()));
  std::byte* to = store_u32le(ZSTD_MAGICNUMBER, frame.data());
  *to++ = std::byte{2 << 6};  // the content size takes four bytes
  *to++ = std::byte{9 << 3};  // a window of 512 KiB, as restic's writer has it
  to = store_u32le(static_cast<std::uint32_t>(raw.size()), to);
  do {
    const ByteView block = raw.first(std::min(raw.size(), kRawBlock));
    raw = raw.subspan(block.size());
    const auto head = static_cast<std::uint32_t>(block.size() << 3) | (raw.empty() ? 1U : 0U);
    for (std::size_t i = 0; i < kBlockHead; ++i) *to++ = static_cast<std::byte>(head >> (8 * i));
    to = std::copy(block.begin(), block.end(), to);
  } while (!raw.empty());
}

}  // namespace restree
