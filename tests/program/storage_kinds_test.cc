#include "program/storage_kinds.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using testing::FailsWith;
using testing::value_of;

TEST(StorageKinds, AFolderOfThisMachineIsTakenAsItStands) {
  const std::vector<std::pair<std::string, std::string>> examples = {
      {"/srv/backup", "/srv/backup"}, {"backup", "backup"}, {"./backup/../x/", "./backup/../x/"},
      {"/srv/a:b", "/srv/a:b"},       {"../a:b", "../a:b"}, {"local:./a:b", "./a:b"},
      {"local:/srv", "/srv"}};
  for (const auto& [text, folder] : examples) {
    const auto location = value_of(parse_location(text));
    EXPECT_EQ(location->folder(), folder) << text;
    EXPECT_EQ(location->description(), folder);
    EXPECT_FALSE(location->is_far()) << text;
  }
}

TEST(StorageKinds, AServerIsFarAndIsNotAFolderOfThisMachine) {
  for (const std::string text : {"sftp:nas:backup", "sftp://joe@nas:2222//x"}) {
    const auto location = value_of(parse_location(text));
    EXPECT_TRUE(location->is_far()) << text;
    EXPECT_EQ(location->folder(), std::nullopt) << text;
    EXPECT_EQ(location->description(), text);
  }
}

TEST(StorageKinds, TextsThatCannotBeALocationAreInvalid) {
  for (const std::string text : {"", "local:", "./a:b", "a:b", "ftp://x/y", "sftp:nas"}) {
    EXPECT_THAT(parse_location(text), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

TEST(StorageKinds, NoPartOfALocationHoldsAZeroByte) {
  using namespace std::string_literals;
  for (const std::string& text : {"/srv/repo\0x"s, "local:x\0"s, "sftp:nas:a\0b"s, "sftp:na\0s:a"s,
                                  "sftp://nas/a%00b"s, "sftp://u%00@nas/a"s, "sftp://na%00s/a"s}) {
    EXPECT_THAT(parse_location(text), FailsWith(ErrorKind::kInvalid)) << text;
  }
}

TEST(StorageKinds, AColonInAFoldersNameIsHintedAt) {
  const auto location = parse_location("a:b");
  ASSERT_THAT(location, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(location.error().hint(), ::testing::HasSubstr("local:a:b"));
}

TEST(StorageKinds, ALocationThatIsInvalidIsShownWithoutItsPassword) {
  const auto location = parse_location("ftp://joe:secret@nas/x");
  ASSERT_THAT(location, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(location.error().for_people(), ::testing::Not(::testing::HasSubstr("secret")));
}

TEST(StorageKinds, OtherStorageOfResticsIsUnsupportedByName) {
  for (const std::string scheme : {"s3", "rest", "b2", "azure", "gs", "swift"}) {
    const auto location = parse_location(scheme + ":something");
    ASSERT_THAT(location, FailsWith(ErrorKind::kUnsupported));
    EXPECT_THAT(location.error().message(), ::testing::HasSubstr(scheme + ":"));
  }
}

class RcloneKind : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_file(dir_.path() / "rclone.conf",
                        "[nas]\ntype = sftp\nhost = nas\nuser = u\nport = 22\n"
                        "[far]\ntype = sftp\nhost = nas\nuser = u\nport = 2222\n"
                        "[disk]\ntype = local\n[bucket]\ntype = s3\n");
    environment_.set("RCLONE_CONFIG", (dir_.path() / "rclone.conf").string());
  }
  testing::TempDir dir_;
  testing::Environment environment_;
};

TEST_F(RcloneKind, IsThePlaceThatItsRemoteNames) {
  const auto server = value_of(parse_location("rclone:nas:backup"));
  EXPECT_TRUE(server->is_far());
  EXPECT_EQ(server->folder(), std::nullopt);
  EXPECT_EQ(server->description(), "rclone:nas:backup");
  const auto folder = value_of(parse_location("rclone:disk:/srv/backup"));
  EXPECT_FALSE(folder->is_far());
  EXPECT_EQ(folder->folder(), "/srv/backup");
  EXPECT_EQ(folder->identity({}), value_of(parse_location("/srv/backup"))->identity({}));
}

TEST_F(RcloneKind, HasTheIdentityOfTheSameSftpLocation) {
  const auto identity = [](const char* text, const SshOptions& options = {}) {
    return value_of(parse_location(text))->identity(options);
  };
  EXPECT_EQ(identity("rclone:nas:backup"), identity("sftp:u@nas:backup"));
  EXPECT_EQ(identity("rclone:nas:/backup/"), identity("sftp:u@nas:/backup"));
  EXPECT_EQ(identity("rclone:far:/backup"), identity("sftp://u@nas:2222//backup"));
  SshOptions options;
  options.user = "joe";
  EXPECT_EQ(identity("rclone:nas:backup", options), identity("sftp:joe@nas:backup"));
}

TEST_F(RcloneKind, WhatNeedsRcloneIsRefusedByName) {
  const auto bucket = parse_location("rclone:bucket:x");
  ASSERT_THAT(bucket, FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(bucket.error().message(), ::testing::HasSubstr("type s3"));
  EXPECT_THAT(parse_location("rclone:nothing:x"), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(parse_location("rclone:disk:"), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(parse_location("rclone:nas:~/x"), FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(parse_location("rclone:"), FailsWith(ErrorKind::kInvalid));
}

TEST_F(RcloneKind, TakesResticsOptionsForRcloneAndOtherKindsDoNot) {
  const auto nas = value_of(parse_location("rclone:nas:x"));
  SshOptions options;
  EXPECT_OK(nas->take_rclone_options({"rclone.connections=2", "rclone.timeout=1m"}, options));
  EXPECT_EQ(options.connections, 2U);
  EXPECT_OK(nas->take_rclone_options({"rclone.args=serve restic --stdio -v"}, options));
  EXPECT_THAT(nas->take_rclone_options({"rclone.args=serve restic --config=x"}, options),
              FailsWith(ErrorKind::kUnsupported));
  EXPECT_THAT(nas->take_rclone_options({"rclone.connections=x"}, options),
              FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(nas->take_rclone_options({"rclone.other=x"}, options),
              FailsWith(ErrorKind::kUnsupported));
  const auto sftp = value_of(parse_location("sftp:u@nas:x"));
  EXPECT_OK(sftp->take_rclone_options({"rclone.connections=7", "rclone.args=--x"}, options));
  EXPECT_EQ(options.connections, 2U);
}

TEST(StorageKinds, IdentityIsTheSameHoweverTheLocationIsWritten) {
  const auto identity = [](const char* text, const SshOptions& options = {}) {
    return value_of(parse_location(text))->identity(options);
  };
  EXPECT_EQ(identity("sftp:u@nas:/backup"), identity("sftp://u@nas//backup"));
  EXPECT_EQ(identity("sftp:u@nas:/backup/"), identity("sftp:u@nas:/backup"));
  EXPECT_EQ(identity("sftp://u:secret@nas//backup"), identity("sftp:u@nas:/backup"));
  SshOptions options;
  options.user = "u";
  EXPECT_EQ(identity("sftp:nas:/backup", options), identity("sftp:u@nas:/backup"));
  options.port = 2222;
  EXPECT_NE(identity("sftp:nas:/backup", options), identity("sftp:u@nas:/backup"));
  EXPECT_NE(identity("sftp:nas:/backup"), identity("sftp:nas:/backup2"));
}

}  // namespace
}  // namespace restree
