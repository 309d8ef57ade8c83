#include "program/storage_kinds.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/matchers.h"

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
  for (const std::string scheme : {"s3", "rest", "b2", "azure", "gs", "rclone", "swift"}) {
    const auto location = parse_location(scheme + ":something");
    ASSERT_THAT(location, FailsWith(ErrorKind::kUnsupported));
    EXPECT_THAT(location.error().message(), ::testing::HasSubstr(scheme + ":"));
  }
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
