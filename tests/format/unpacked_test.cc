#include "repo/format/unpacked.h"

#include <zstd.h>

#include <string>

#include "tests/format/master_key.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::Holds;
using testing::master_key;
using testing::value_of;

Result<Bytes> open_sealed(std::string_view payload) {
  return open_unpacked(master_key(), value_of(seal(master_key(), as_bytes(payload))));
}

std::string compressed(std::string_view json) {
  std::string payload(1 + ZSTD_compressBound(json.size()), '\x02');
  payload.resize(
      1 + ZSTD_compress(payload.data() + 1, payload.size() - 1, json.data(), json.size(), 3));
  return payload;
}

TEST(OpenUnpacked, TakesJsonAsItIs) {
  EXPECT_THAT(open_sealed("{}"), Holds("{}"));
  EXPECT_THAT(open_sealed("[1]"), Holds("[1]"));
}

TEST(OpenUnpacked, DecompressesAPayloadThatIsMarkedAsCompressed) {
  EXPECT_THAT(open_sealed(compressed(R"({"packs":[]})")), Holds(R"({"packs":[]})"));
}

TEST(OpenUnpacked, PassesAnEmptyPayloadOn) { EXPECT_THAT(open_sealed(""), Holds("")); }

TEST(OpenUnpacked, DoesNotGuessAtOtherEncodings) {
  EXPECT_THAT(open_sealed("\x03..."), FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(open_sealed(" {}"), FailsWith(ErrorKind::kUnsupported));
}

TEST(OpenUnpacked, ReportsDamageAsCorrupt) {
  EXPECT_THAT(open_sealed("\x02"), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(open_sealed("\x02not a frame"), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(open_unpacked(master_key(), Bytes::copy_of(as_bytes("short"))),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(open_unpacked(master_key(), Bytes::copy_of(as_bytes(std::string(100, 'x')))),
              FailsWith(ErrorKind::kCorrupt));
}

}  // namespace
}  // namespace restree
