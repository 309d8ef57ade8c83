#include "repo/format/config.h"

#include "tests/format/master_key.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

constexpr std::string_view kId = "6afa122872c1e66beaede2a94c757d5a693f2ffb305e8e20964daa5e3d620312";

Result<Config> parse(const std::string& json) { return parse_config(as_bytes(json)); }
std::string config_of(std::string_view version, std::string_view polynomial) {
  return R"({"version":)" + std::string(version) + R"(,"id":")" + std::string(kId) +
         R"(","chunker_polynomial":)" + std::string(polynomial) + "}";
}

TEST(Config, OfARealRepositoryIsRead) {
  Bytes file = testing::from_hex_text(vectors::kConfigFile);
  const auto json = open_in_place(testing::master_key(), file.view());
  ASSERT_OK(json);
  EXPECT_EQ(as_text(*json), vectors::kConfig);
  const Config config = value_of(parse_config(*json));
  EXPECT_EQ(config.version, 2u);
  EXPECT_EQ(config.id.hex(), kId);
  EXPECT_EQ(config.chunker_polynomial, 0x2d607483fe70cfu);
}

TEST(Config, IsWrittenAsResticWritesIt) {
  EXPECT_EQ(write_config(value_of(parse_config(as_bytes(vectors::kConfig)))), vectors::kConfig);
}

TEST(Config, OfVersionOneIsRead) {
  EXPECT_EQ(value_of(parse(config_of("1", R"("3da3358b4dc173")"))).version, 1u);
}

TEST(Config, OfAFutureVersionIsUnsupported) {
  EXPECT_THAT(parse(config_of("3", R"("3da3358b4dc173")")), FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(parse(config_of("0", R"("3da3358b4dc173")")), FailsWith(ErrorKind::kUnsupported));
}

TEST(Config, WithMalformedNumbersIsCorrupt) {
  for (const char* version : {"-1", "2.0", "2e0", "02", "\"2\"", "true", "18446744073709551616"}) {
    EXPECT_THAT(parse(config_of(version, R"("3da3358b4dc173")")), FailsWith(ErrorKind::kCorrupt))
        << version;
  }
  for (const char* polynomial : {R"("")", R"("0x12")", R"("xyz")", R"("0")", "12", "null",
                                 R"("11111111111111111")", R"("-3")"}) {
    EXPECT_THAT(parse(config_of("2", polynomial)), FailsWith(ErrorKind::kCorrupt)) << polynomial;
  }
}

TEST(Config, WithoutItsFieldsIsCorrupt) {
  EXPECT_THAT(parse("{}"), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse(R"({"version":2})"), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse(R"({"version":2,"chunker_polynomial":"3da3358b4dc173"})"),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(Config, CutShortAnywhereIsCorrupt) {
  for (std::size_t size = 0; size < vectors::kConfig.size(); ++size) {
    EXPECT_THAT(parse(std::string(vectors::kConfig.substr(0, size))),
                FailsWith(ErrorKind::kCorrupt));
  }
}

TEST(Config, WithSomethingBehindItIsCorrupt) {
  for (const char* tail : {"}", "{}", " x", ",", "\"\"", "]"}) {
    EXPECT_THAT(parse(std::string(vectors::kConfig) + tail), FailsWith(ErrorKind::kCorrupt))
        << tail;
  }
  EXPECT_OK(parse(std::string(vectors::kConfig) + " \n\t "));
}

TEST(Config, MayHoldFieldsThatWeDoNotKnow) {
  EXPECT_OK(
      parse(R"({"x":{"y":[1,{"z":null}],"version":9},)" + std::string(vectors::kConfig.substr(1))));
}

}  // namespace
}  // namespace restree
