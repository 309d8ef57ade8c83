#include "repo/format/key.h"

#include <string>

#include "repo/crypto/sha256.h"
#include "tests/format/master_key.h"
#include "tests/format/vectors.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

Result<KeyFile> parse_key(std::string_view json) { return parse_key_file(as_bytes(json)); }

std::string key_file_with(std::string_view from, std::string_view to) {
  std::string json(vectors::kKeyFile);
  return json.replace(json.find(from), from.size(), to);
}

TEST(KeyFile, OfARealRepositoryOpensWithItsPassword) {
  EXPECT_EQ(to_hex(sha256(as_bytes(vectors::kKeyFile))), vectors::kKeyId);
  const KeyFile file = value_of(parse_key(vectors::kKeyFile));
  EXPECT_EQ(file.username, "alice");
  EXPECT_EQ(file.hostname, "example");
  const SealKey key = value_of(open_key_file(file, Secret(std::string(vectors::kPassword))));
  EXPECT_EQ(to_hex(key.encrypt()), vectors::kEncrypt);
  EXPECT_EQ(to_hex(key.mac_k()), vectors::kMacK);
  EXPECT_EQ(to_hex(key.mac_r()), vectors::kMacR);
}

TEST(KeyFile, DerivesTheKeyThatResticDerives) {
  const KeyFile file = value_of(parse_key(vectors::kKeyFile));
  const auto derived =
      derive_key(Secret(std::string(vectors::kPassword)), as_bytes(file.salt), file.parameters);
  ASSERT_OK(derived);
  EXPECT_EQ(to_hex(derived->view()), vectors::kDerivedKey);
}

TEST(KeyFile, IsWrittenAsResticWritesIt) {
  EXPECT_EQ(write_key_file(value_of(parse_key(vectors::kKeyFile))), vectors::kKeyFile);
}

TEST(KeyFile, MadeForAMasterKeyOpensToIt) {
  const SealKey master = value_of(parse_master_key(as_bytes(vectors::kMasterKey)));
  const KeyHolder alice{{1'800'000'000, 5}, "alice", "example"};
  const Secret password(std::string("secret"));
  const KeyFile made = value_of(make_key_file(master, password, alice, {.n = 16, .r = 8, .p = 1}));
  const KeyFile read = value_of(parse_key(write_key_file(made)));
  EXPECT_EQ(read.created, alice.created);
  EXPECT_EQ(read.username, "alice");
  EXPECT_EQ(read.hostname, "example");
  const SealKey opened = value_of(open_key_file(read, password));
  EXPECT_EQ(to_hex(opened.encrypt()), vectors::kEncrypt);
  EXPECT_EQ(to_hex(opened.mac_k()), vectors::kMacK);
  EXPECT_EQ(to_hex(opened.mac_r()), vectors::kMacR);
}

TEST(KeyFile, HasAnotherSaltEachTime) {
  const SealKey master = value_of(parse_master_key(as_bytes(vectors::kMasterKey)));
  const auto make = [&] {
    return value_of(make_key_file(master, Secret(std::string("p")), {}, {.n = 16, .r = 8, .p = 1}));
  };
  EXPECT_NE(make().salt, make().salt);
}

TEST(KeyFile, DeniesAWrongPassword) {
  const KeyFile file = value_of(parse_key(vectors::kKeyFile));
  EXPECT_THAT(open_key_file(file, Secret(std::string("wrong"))),
              FailsWith(ErrorKind::kWrongPassword));
}

TEST(KeyFile, WithAnotherKeyDerivationIsUnsupported) {
  EXPECT_THAT(parse_key(key_file_with("\"scrypt\"", "\"argon2\"")),
              FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(parse_key("{}"), FailsWith(ErrorKind::kCorrupt));
}

TEST(KeyFile, WithDamagedFieldsIsCorrupt) {
  EXPECT_THAT(parse_key(key_file_with("32768", "-1")), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_key(key_file_with("32768", "32768.5")), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_key(key_file_with("\"r\":8", "\"r\":4294967304")),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_key(key_file_with("8FMh", "8FM!")), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_key(key_file_with("8FMh", "")), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_key(R"({"kdf":"scrypt","N":2,"r":8,"p":1,"salt":"","data":""})"),
              FailsWith(ErrorKind::kCorrupt));
}

TEST(MasterKey, IsReadFromItsJson) {
  const SealKey key = value_of(parse_master_key(as_bytes(vectors::kMasterKey)));
  EXPECT_EQ(to_hex(key.encrypt()), vectors::kEncrypt);
}

TEST(MasterKey, WithAMissingPartIsCorrupt) {
  EXPECT_THAT(parse_master_key(as_bytes("{}")), FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_master_key(as_bytes(R"({"mac":null,"encrypt":"KzRq"})")),
              FailsWith(ErrorKind::kCorrupt));
  EXPECT_THAT(parse_master_key(as_bytes("not json")), FailsWith(ErrorKind::kCorrupt));
}

}  // namespace
}  // namespace restree
