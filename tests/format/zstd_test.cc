#include "repo/format/zstd.h"

#include <zstd.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::Holds;
using testing::value_of;

std::string compress(std::string_view raw) {
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), 3));
  return frame;
}

// A frame that does not say how much is in it, as restic writes for small inputs.
std::string compress_without_size(std::string_view raw) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(ZSTD_compress2(context, frame.data(), frame.size(), raw.data(), raw.size()));
  ZSTD_freeCCtx(context);
  return frame;
}

TEST(Decompress, ReturnsTheBytesThatWereCompressed) {
  const std::string raw(100'000, 'r');
  EXPECT_THAT(decompress(as_bytes(compress(raw)), 1 << 20), Holds(raw));
  EXPECT_THAT(decompress(as_bytes(compress("")), 1 << 20), Holds(""));
}

TEST(Decompress, NeedsNoContentSize) {
  for (const std::size_t size : {0U, 1U, 200U, 4095U, 4096U, 4097U, 1'000'000U}) {
    const std::string raw(size, 'r');
    EXPECT_THAT(decompress(as_bytes(compress_without_size(raw)), 1 << 20), Holds(raw)) << size;
  }
}

TEST(Decompress, TakesSeveralFramesAsOne) {
  EXPECT_THAT(decompress(as_bytes(compress("ab") + compress_without_size("cd")), 1 << 20),
              Holds("abcd"));
}

TEST(Decompress, StopsAtItsLimit) {
  const std::string raw(1 << 20, 'b');
  EXPECT_THAT(decompress(as_bytes(compress(raw)), raw.size() - 1), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(decompress(as_bytes(compress_without_size(raw)), raw.size() - 1),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(decompress(as_bytes(compress(raw) + compress(raw)), raw.size()),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(decompress(as_bytes(compress(raw)), raw.size()), Holds(raw));
}

TEST(Decompress, DoesNotBelieveAFrameThatClaimsMore) {
  // Magic, an 8-byte content size of 2^62, one block of four bytes.
  const std::string claims("\x28\xb5\x2f\xfd\xe0\0\0\0\0\0\0\0\x40\x21\0\0abcd", 20);
  EXPECT_THAT(decompress(as_bytes(claims), 1 << 20), FailsWith(ErrorKind::kCorrupt));
}

TEST(Decompress, CutShortAnywhereIsCorrupt) {
  for (const std::string& frame : {compress("some text"), compress_without_size("some text")}) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      EXPECT_THAT(decompress(as_bytes(frame).first(size), 1 << 20), FailsWith(ErrorKind::kCorrupt));
    }
  }
}

TEST(DecompressInto, FillsExactlyTheGivenMemory) {
  Bytes raw(9);
  ASSERT_OK(decompress_into(as_bytes(compress_without_size("some text")), raw.view()));
  EXPECT_EQ(as_text(raw), "some text");
}

TEST(DecompressInto, RefusesAnotherSize) {
  Bytes small(8);
  Bytes large(10);
  const std::string frame = compress("some text");
  EXPECT_THAT(decompress_into(as_bytes(frame), small.view()), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(decompress_into(as_bytes(frame), large.view()), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(decompress_into(as_bytes("not zstd at all"), large.view()),
              FailsWith(ErrorKind::kCorrupt));
}

std::string in_pieces(std::string_view frame, std::size_t raw_size, Status& status) {
  std::string raw;
  PieceDecompressor decompressor(raw_size, [&](ByteView piece) { raw += as_text(piece); });
  status = decompressor.add(as_bytes(frame));
  if (status) status = decompressor.finish();
  return raw;
}

// The frame itself comes in pieces of `step` bytes.
std::string from_pieces(std::string_view frame, std::size_t raw_size, std::size_t step,
                        Status& status) {
  std::string raw;
  PieceDecompressor decompressor(raw_size, [&](ByteView piece) { raw += as_text(piece); });
  status = Status();
  for (; status && !frame.empty(); frame.remove_prefix(std::min(step, frame.size()))) {
    status = decompressor.add(as_bytes(frame.substr(0, step)));
  }
  if (status) status = decompressor.finish();
  return raw;
}

TEST(PieceDecompressor, GivesTheSameBytesHoweverTheFrameComes) {
  Status status;
  for (const std::size_t size : {1U, 131'071U, 131'072U, 300'000U}) {
    const std::string raw = testing::random_bytes(7, size) + std::string(3 * size, 'r');
    for (const std::size_t step : {1'000U, 131'072U, 5'000'000U}) {
      EXPECT_EQ(from_pieces(compress(raw), raw.size(), step, status), raw) << size << ", " << step;
      EXPECT_OK(status);
      EXPECT_EQ(from_pieces(compress_without_size(raw), raw.size(), step, status), raw) << size;
      EXPECT_OK(status);
    }
  }
  Bytes frame(raw_frame_size(300'000));
  const std::string raw = testing::random_bytes(8, 300'000);
  write_raw_frame(as_bytes(raw), frame.view());
  EXPECT_EQ(from_pieces(as_text(frame), raw.size(), 131'072, status), raw);
  EXPECT_OK(status);
}

TEST(PieceDecompressor, RefusesAFrameThatIsNotWholeOrOfAnotherSize) {
  const std::string raw = testing::random_bytes(9, 200'000);
  const std::string frame = compress(raw);
  Status status;
  for (const std::size_t step : {1'000U, 5'000'000U}) {
    from_pieces(frame.substr(0, frame.size() - 1), raw.size(), step, status);
    EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
    from_pieces(frame, raw.size() - 1, step, status);
    EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
    from_pieces(frame, raw.size() + 1, step, status);
    EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
    from_pieces("", raw.size(), step, status);
    EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
  }
}

TEST(PieceDecompressor, GivesTheSameBytesInOrder) {
  Status status;
  for (const std::size_t size : {0U, 1U, 131'071U, 131'072U, 131'073U, 3'000'000U}) {
    const std::string raw = testing::random_bytes(7, size) + std::string(size, 'r');
    EXPECT_EQ(in_pieces(compress(raw), raw.size(), status), raw) << size;
    EXPECT_OK(status);
    EXPECT_EQ(in_pieces(compress_without_size(raw), raw.size(), status), raw) << size;
    EXPECT_OK(status);
  }
  EXPECT_EQ(in_pieces(compress("ab") + compress("cd"), 4, status), "abcd");
  EXPECT_OK(status);
}

TEST(PieceDecompressor, OfATruncatedFrameOrAnotherSizeIsCorrupt) {
  const std::string frame = compress("some text");
  Status status;
  for (std::size_t size = 0; size < frame.size(); ++size) {
    in_pieces(frame.substr(0, size), 9, status);
    EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt)) << size;
  }
  in_pieces(frame, 8, status);
  EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
  in_pieces(frame, 10, status);
  EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
  in_pieces("not zstd at all", 10, status);
  EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
}

TEST(RawFrame, IsOneThatEveryDecoderReads) {
  for (const std::size_t size : {0U, 1U, 131'071U, 131'072U, 131'073U, 262'144U, 8U << 20}) {
    const std::string raw = testing::random_bytes(3, size);
    Bytes frame(raw_frame_size(size));
    write_raw_frame(as_bytes(raw), frame.view());
    EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), size);
    EXPECT_EQ(ZSTD_findFrameCompressedSize(frame.data(), frame.size()), frame.size());
    EXPECT_THAT(decompress(frame, 16 << 20), Holds(raw)) << size;
    Status status;
    EXPECT_EQ(in_pieces(as_text(frame), size, status), raw) << size;
    EXPECT_OK(status);
  }
}

TEST(LooksCompressible, IsTrueForTextAndFalseForNoise) {
  const std::string noise = testing::random_bytes(5, 1 << 20);
  EXPECT_FALSE(value_of(looks_compressible(as_bytes(noise))));
  EXPECT_TRUE(value_of(looks_compressible(as_bytes(std::string(1 << 20, 't')))));
  EXPECT_TRUE(value_of(looks_compressible(as_bytes(noise + std::string(1 << 20, 't')))));
  // Too short for samples: such a blob is always compressed.
  EXPECT_TRUE(value_of(looks_compressible(as_bytes(noise).first(1000))));
}

}  // namespace
}  // namespace restree
