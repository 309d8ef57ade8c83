#include "repo/crypto/kdf.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;

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
  const auto large = derive("pleaseletmein", "SodiumChloride", {.n = 16384, .r = 8, .p = 1});
  ASSERT_OK(large);
  EXPECT_EQ(to_hex(large->view()),
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
            "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
  const auto strong = derive("password", "NaCl", {.n = 1024, .r = 8, .p = 16});
  ASSERT_OK(strong);
  EXPECT_EQ(to_hex(strong->view()),
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
            "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

// N is above 2^(16 r), where RFC 7914 ends and restic 0.3 to 0.8.3 made their keys. From libsodium
// by Python's ctypes, and the same from PBKDF2 of hashlib around a scryptROMix written in Python.
TEST(DeriveKey, GivesTheKeysOfOldRestic) {
  const auto old = derive("password", "NaCl", {.n = 262144, .r = 1, .p = 2});
  ASSERT_OK(old);
  EXPECT_EQ(to_hex(old->view()),
            "1639f7433fa779d13c45bd5773737ca555bf5478dbbe9689ef21f5c78c0b661a"
            "fd96f1209b788d5f462d5850f97db0ceb1d6c86464555cd207f03a7a15602e4f");
}

// Sizes of lanes that fill no whole number of what is handled at once, fewer and more lanes than
// processors, and tables from the least to some that leave the processor's nearest cache.
TEST(DeriveKey, GivesTheKeysOfOpenSsl) {
  const std::string password = "open sesame";
  const std::string salt = "and the salt";
  for (const std::uint64_t n : {2U, 4U, 64U, 512U}) {
    for (const std::uint32_t r : {1U, 2U, 3U, 7U, 8U, 13U}) {
      for (const std::uint32_t p : {1U, 2U, 3U, 5U, 9U}) {
        std::array<unsigned char, 64> expected{};
        ASSERT_EQ(::EVP_PBE_scrypt(password.data(), password.size(),
                                   reinterpret_cast<const unsigned char*>(salt.data()), salt.size(),
                                   n, r, p, 0, expected.data(), expected.size()),
                  1);
        const auto derived = derive(password, salt, {.n = n, .r = r, .p = p});
        ASSERT_OK(derived);
        EXPECT_EQ(to_hex(derived->view()), to_hex(std::as_bytes(std::span(expected))))
            << n << " " << r << " " << p;
      }
    }
  }
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

// The greatest that pass take 1 GiB or a minute, so that they are only looked at.
TEST(CheckScrypt, AllowsFarMoreThanResticTakesAndNoMoreThanThat) {
  const std::string more_memory = "more memory";
  const std::string more_time = "more time";
  EXPECT_OK(check_scrypt({.n = 1 << 20, .r = 8, .p = 1}));  // 1 GiB, the largest of RFC 7914
  EXPECT_OK(check_scrypt({.n = 1 << 23, .r = 1, .p = 1}));
  EXPECT_OK(check_scrypt({.n = 32768, .r = 8, .p = 1024}));
  const auto reason = [](ScryptParameters parameters) {
    const Status status = check_scrypt(parameters);
    EXPECT_THAT(status, FailsWith(ErrorKind::kCorrupt));
    return status ? std::string() : status.error().message();
  };
  EXPECT_THAT(reason({.n = 1 << 21, .r = 8, .p = 1}), HasSubstr(more_memory));
  EXPECT_THAT(reason({.n = 1 << 24, .r = 1, .p = 1}), HasSubstr(more_memory));
  EXPECT_THAT(reason({.n = std::uint64_t{1} << 40, .r = 8, .p = 1}), HasSubstr("N=1099511627776"));
  EXPECT_THAT(reason({.n = 2, .r = 1 << 20, .p = 1 << 7}), HasSubstr(more_time));
  EXPECT_THAT(reason({.n = 32768, .r = 8, .p = 1025}), HasSubstr(more_time));
}

TEST(ScryptCost, IsTheProductOfTheParametersOrTheLargestNumber) {
  EXPECT_EQ(scrypt_cost({.n = 32768, .r = 8, .p = 4}), 1U << 20);
  EXPECT_EQ(scrypt_cost({.n = std::uint64_t{1} << 63, .r = 1, .p = 1}), std::uint64_t{1} << 63);
  EXPECT_EQ(scrypt_cost({.n = std::uint64_t{1} << 63, .r = 0xffffffff, .p = 0xffffffff}),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(scrypt_cost({.n = 16, .r = 0, .p = 1}), 0U);
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
