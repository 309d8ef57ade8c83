#include "repo/format/pack_header.h"

#include <string>

#include "repo/crypto/sha256.h"
#include "repo/format/zstd.h"
#include "tests/format/master_key.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

std::string u32le(std::uint32_t value) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}
std::string raw_entry(char type, std::uint32_t length) {
  return type + u32le(length) + std::string(32, 'i');
}
std::string compressed_entry(char type, std::uint32_t length, std::uint32_t raw_length) {
  return type + u32le(length) + u32le(raw_length) + std::string(32, 'i');
}
auto parse(const std::string& header, std::uint64_t payload_size) {
  return parse_pack_header(as_bytes(header), payload_size);
}

TEST(PackHeader, OfARealPackLeadsToItsBlob) {
  Bytes pack = testing::from_hex_text(vectors::kPackFile);
  EXPECT_EQ(to_hex(sha256(pack)), vectors::kPackId);
  const std::uint32_t header_length = load_u32le(pack.data() + pack.size() - 4);
  ASSERT_EQ(header_length, 73u);
  const std::size_t payload_size = pack.size() - 4 - header_length;
  const auto header =
      open_in_place(testing::master_key(), pack.view().subspan(payload_size, header_length));
  ASSERT_OK(header);
  EXPECT_EQ(to_hex(*header), vectors::kPackHeader);
  const auto blobs = value_of(parse_pack_header(*header, payload_size));
  ASSERT_EQ(blobs.size(), 1u);
  EXPECT_EQ(blobs[0].id.hex(), vectors::kDataBlobId);
  EXPECT_EQ(blobs[0].type, BlobType::kData);
  EXPECT_EQ(blobs[0].raw_length, 1u);

  const auto frame =
      open_in_place(testing::master_key(), pack.view().subspan(blobs[0].offset, blobs[0].length));
  ASSERT_OK(frame);
  Bytes blob(blobs[0].raw_length);
  ASSERT_OK(decompress_into(*frame, blob.view()));
  EXPECT_EQ(as_text(blob), "x");
}

TEST(PackHeader, CountsOffsetsOverAllKindsOfEntries) {
  const auto blobs = value_of(parse(raw_entry(0, 40) + compressed_entry(3, 50, 99) +
                                        raw_entry(1, 32) + compressed_entry(2, 60, 1),
                                    182));
  ASSERT_EQ(blobs.size(), 4u);
  EXPECT_EQ(blobs[1].offset, 40u);
  EXPECT_EQ(blobs[1].type, BlobType::kTree);
  EXPECT_EQ(blobs[1].raw_length, 99u);
  EXPECT_EQ(blobs[2].offset, 90u);
  EXPECT_EQ(blobs[2].raw_length, 0u);
  EXPECT_EQ(blobs[3].offset, 122u);
  EXPECT_EQ(blobs[3].type, BlobType::kData);
}

TEST(PackHeader, CutShortIsCorrupt) {
  const std::string header = compressed_entry(2, 40, 8);
  for (std::size_t size = 1; size < header.size(); ++size) {
    EXPECT_THAT(parse(header.substr(0, size), 40), FailsWith(ErrorKind::kCorrupt));
  }
}

TEST(PackHeader, WhoseBlobsDoNotFillThePackIsCorrupt) {
  EXPECT_THAT(parse(raw_entry(0, 40), 39), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse(raw_entry(0, 40), 41), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse("", 1), FailsWith(ErrorKind::kCorrupt));
  EXPECT_OK(parse("", 0));
}

TEST(PackHeader, WithABlobThatCannotBeIsCorrupt) {
  EXPECT_THAT(parse(raw_entry(0, 31), 31), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse(compressed_entry(2, 40, 0), 40), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse(raw_entry(0, 0xffffffff) + raw_entry(0, 40), 0x100000027),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(PackHeader, WithAnUnknownTypeIsUnsupported) {
  EXPECT_THAT(parse(raw_entry(4, 40), 40), FailsWith(ErrorKind::kUnsupported));
}

}  // namespace
}  // namespace restree
