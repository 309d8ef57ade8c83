#include "repo/crypto/kdf.h"

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;

Result<Secret> derive(std::string_view password, std::string_view salt,
                      ScryptParameters parameters) {
  return derive_key(Secret(std::string(password)), as_bytes(salt), parameters);
}

// RFC 7914, section 12.
TEST(DeriveKey, GivesTheStandardsKeys) {
  const auto weak = derive("", "", {.n = 16, .r = 1, .p = 1});
  ASSERT_OK(weak);
  EXPECT_EQ(to_hex(weak->view()),
            "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
            "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
  const auto strong = derive("password", "NaCl", {.n = 1024, .r = 8, .p = 16});
  ASSERT_OK(strong);
  EXPECT_EQ(to_hex(strong->view()),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST(DeriveKey, RefusesParametersThatScryptDoesNotAllow) {
  EXPECT_THAT(derive("p", "s", {.n = 0, .r = 8, .p = 1}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(derive("p", "s", {.n = 1, .r = 8, .p = 1}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(derive("p", "s", {.n = 1000, .r = 8, .p = 1}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(derive("p", "s", {.n = 1024, .r = 0, .p = 1}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(derive("p", "s", {.n = 1024, .r = 8, .p = 0}), FailsWith(ErrorKind::kCorrupt));
}

TEST(DeriveKey, RefusesToFillMemoryOrToRunForHours) {
  EXPECT_THAT(derive("p", "s", {.n = 1 << 26, .r = 8, .p = 1}), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(derive("p", "s", {.n = std::uint64_t{1} << 63, .r = 0xffffffff, .p = 0xffffffff}),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(derive("p", "s", {.n = 1 << 20, .r = 8, .p = 1 << 20}),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(CalibrateScrypt, NeverGoesBelowResticsLeast) {
  const auto parameters = calibrate_scrypt(std::chrono::milliseconds(0));
  ASSERT_OK(parameters);
  EXPECT_EQ(parameters->n, 32768U);
  EXPECT_EQ(parameters->r, 8U);
  EXPECT_EQ(parameters->p, 1U);
}

TEST(CalibrateScrypt, SpendsMoreTimeOnMoreLanesOfTheSameMemory) {
  const auto parameters = calibrate_scrypt(std::chrono::hours(1));
  ASSERT_OK(parameters);
  EXPECT_EQ(parameters->n, 32768U);
  EXPECT_EQ(parameters->p, 64U);
}

}  // namespace
}  // namespace restree
