// Bytes from servers and files that are parsed before anything about them is known to be true.
#include <gtest/gtest.h>

#include <random>

#include "repo/storage/sftp/sftp_packet.h"
#include "repo/storage/ssh/ssh_key_file.h"
#include "repo/storage/ssh/ssh_offer.h"
#include "tests/support/matchers.h"

namespace restree::testing {
namespace {

std::string field(std::string_view text) {
  std::string bytes(4, '\0');
  bytes[3] = static_cast<char>(text.size());
  return bytes + std::string(text);
}

std::string greeting() {
  return "welcome\r\nSSH-2.0-Test\r\n" + std::string(4, '\0') + "\4\x14" + std::string(16, 'c') +
         field("kex-a,kex-b") + field("rsa-sha2-512,rsa-sha2-256") + field("aes256-ctr");
}

TEST(SshOffer, IsReadFromTheGreeting) {
  const auto offer = parse_ssh_offer(as_bytes(greeting()));
  ASSERT_TRUE(offer.has_value());
  EXPECT_EQ(offer->software, "SSH-2.0-Test");
  EXPECT_EQ(offer->key_exchanges, "kex-a,kex-b");
  EXPECT_EQ(offer->host_keys, "rsa-sha2-512,rsa-sha2-256");
  EXPECT_EQ(offer->ciphers, "aes256-ctr");
}

TEST(SshOffer, IsNotReadFromAGreetingThatIsCutShort) {
  const std::string whole = greeting();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_ssh_offer(as_bytes(whole.substr(0, size))).has_value()) << size;
  }
}

TEST(SshOffer, ListsMeetInWholeNamesOnly) {
  EXPECT_TRUE(lists_meet("a,b", "c,b"));
  EXPECT_FALSE(lists_meet("a,b", "ab,bb"));
  EXPECT_FALSE(lists_meet("", "a"));
  EXPECT_FALSE(lists_meet("a", ""));
}

TEST(SshKeyFile, KnowsTypeAndEncryptionOfPemFiles) {
  const auto rsa = value_of(
      SshKeyFile::parse("k", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"));
  EXPECT_TRUE(rsa.is_rsa());
  EXPECT_TRUE(rsa.encrypted);
  EXPECT_TRUE(
      value_of(SshKeyFile::parse("k", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")).encrypted);
  EXPECT_FALSE(value_of(SshKeyFile::parse("k", "-----BEGIN EC PRIVATE KEY-----\n")).encrypted);
  EXPECT_THAT(SshKeyFile::parse("k", "ssh-ed25519 AAAA comment"), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(SshKeyFile::parse("k", ""), FailsWith(ErrorKind::kInvalid));
}

TEST(SshKeyFile, GarbageInTheArmourIsInvalid) {
  for (const std::string body : {"", "!!!!", "AAAA", "b3BlbnNzaC1rZXktdjEA"}) {
    EXPECT_THAT(SshKeyFile::parse("k", "-----BEGIN OPENSSH PRIVATE KEY-----\n" + body +
                                           "\n-----END OPENSSH PRIVATE KEY-----\n"),
                FailsWith(ErrorKind::kInvalid))
        << body;
  }
}

TEST(SftpPacket, NamesAreReadWithTheirAttributes) {
  // Body of a NAME: count, then name, long name, attributes.
  sftp::Request request(sftp::Type::kName);
  request.u32(2)
      .string(std::string_view("a"))
      .string(std::string_view("-rw a"))
      .u32(0x8000000f)
      .u64(1234)
      .u64(0)
      .u32(0100644)
      .u64(0)
      .u32(1)
      .string(std::string_view("x"))
      .string(std::string_view("y"));
  request.string(std::string_view("b")).string(std::string_view("")).u32(0);
  auto packet = std::move(request).finish(1);
  const sftp::Answer answer{sftp::Type::kName, {packet.begin() + 9, packet.end()}};
  const auto entries = sftp::parse_names(answer);
  ASSERT_TRUE(entries.has_value());
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].attributes.size, 1234U);
  EXPECT_TRUE((*entries)[0].attributes.may_be_file());
  EXPECT_FALSE((*entries)[0].attributes.may_be_directory());
  EXPECT_TRUE((*entries)[1].attributes.may_be_directory());
  for (std::size_t size = 0; size < answer.body.size(); ++size) {
    const sftp::Answer cut{sftp::Type::kName,
                           {answer.body.begin(), answer.body.begin() + std::ptrdiff_t(size)}};
    EXPECT_FALSE(sftp::parse_names(cut).has_value()) << size;
  }
}

TEST(SftpPacket, FalseCountsTakeNoMemory) {
  std::vector<std::byte> body(8, std::byte{0xff});
  EXPECT_FALSE(sftp::parse_names({sftp::Type::kName, body}).has_value());
  EXPECT_FALSE(sftp::parse_attributes({sftp::Type::kAttributes, body}).has_value());
  EXPECT_FALSE(sftp::parse_handle({sftp::Type::kHandle, body}).has_value());
}

TEST(SftpPacket, AnyBytesAreSafeToParse) {
  std::mt19937 random(5);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> body(random() % 64);
    for (auto& byte : body) byte = static_cast<std::byte>(random() % (round % 2 == 0 ? 256 : 3));
    static_cast<void>(sftp::parse_names({sftp::Type::kName, body}));
    static_cast<void>(sftp::parse_attributes({sftp::Type::kAttributes, body}));
    static_cast<void>(sftp::parse_handle({sftp::Type::kHandle, body}));
    static_cast<void>(sftp::parse_status({sftp::Type::kStatus, body}));
    static_cast<void>(parse_ssh_offer(body));
  }
}

}  // namespace
}  // namespace restree::testing
