#include "repo/storage/rclone/rclone_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::value_of;

RcloneFile parsed(const std::string& text) {
  return value_of(RcloneFile::parse(text, "/etc/rclone.conf"));
}

std::string setting(const RcloneFile& file, const std::string& section, const std::string& key) {
  const Secret* const found = file.setting(section, key);
  return found == nullptr ? "(not set)" : std::string(found->text());
}

TEST(RcloneFile, SettingsAreReadAsRcloneReadsThem) {
  const RcloneFile file = parsed(
      "\xef\xbb\xbf# a comment\n; another\nloose = 1\n\n"
      "[nas]\r\n"
      "type = sftp\r\n"
      "  host=nas.example.org  \n"
      "port : 2222\n"
      "user = a=b:c # not a comment\n"
      "empty =\n"
      "\"quoted key\" = v\n"
      "`k = 1` = w\n"
      "back = ` kept `\n"
      "triple = \"\"\" kept \"\"\"\n"
      "double = \"kept\"\n"
      "[ last ]\n"
      "type = local");
  EXPECT_THAT(file.sections(), ElementsAre("DEFAULT", "last", "nas"));
  EXPECT_EQ(setting(file, "DEFAULT", "loose"), "1");
  EXPECT_EQ(setting(file, "nas", "type"), "sftp");
  EXPECT_EQ(setting(file, "nas", "host"), "nas.example.org");
  EXPECT_EQ(setting(file, "nas", "port"), "2222");
  EXPECT_EQ(setting(file, "nas", "user"), "a=b:c # not a comment");
  EXPECT_EQ(setting(file, "nas", "empty"), "");
  EXPECT_EQ(setting(file, "nas", "quoted key"), "v");
  EXPECT_EQ(setting(file, "nas", "k = 1"), "w");
  EXPECT_EQ(setting(file, "nas", "back"), " kept ");
  EXPECT_EQ(setting(file, "nas", "triple"), " kept ");
  EXPECT_EQ(setting(file, "nas", "double"), "\"kept\"");
  EXPECT_EQ(setting(file, "last", "type"), "local");
  EXPECT_EQ(setting(file, "nas", "Type"), "(not set)");
  EXPECT_EQ(setting(file, "NAS", "type"), "(not set)");
}

TEST(RcloneFile, WhatIsSetTwiceCountsAsSetLast) {
  const RcloneFile file = parsed("[a]\nhost = 1\nhost = 2\nuser = u\n[b]\n[a]\nhost = 3\n");
  EXPECT_EQ(setting(file, "a", "host"), "3");
  EXPECT_EQ(setting(file, "a", "user"), "u");
}

TEST(RcloneFile, ASectionWithADotInheritsFromTheOneBeforeTheDot) {
  const RcloneFile file = parsed("[a]\ntype = sftp\nhost = h\n[a.b]\nhost = i\n[c.d]\nx = 1\n");
  EXPECT_EQ(setting(file, "a.b", "type"), "sftp");
  EXPECT_EQ(setting(file, "a.b", "host"), "i");
  EXPECT_EQ(setting(file, "c.d", "type"), "(not set)");
  EXPECT_THAT(file.keys("a.b"), ElementsAre("host"));
}

TEST(RcloneFile, ALineThatRcloneDoesNotReadIsNamedByItsNumberAndNotShown) {
  for (const std::string line : {"secret", "= secret", "\"secret", "`secret = x"}) {
    const auto file = RcloneFile::parse("[a]\n\n" + line + "\n", "/etc/rclone.conf");
    ASSERT_THAT(file, FailsWith(ErrorKind::kInvalid)) << line;
    EXPECT_THAT(file.error().for_people(),
                AllOf(HasSubstr("/etc/rclone.conf line 3"), Not(HasSubstr("secret"))));
  }
  EXPECT_THAT(RcloneFile::parse("[]\nx = 1\n", "f"), FailsWith(ErrorKind::kInvalid));
}

TEST(RcloneFile, AnEncryptedFileIsUnsupportedAndSaysWhatToDo) {
  for (const std::string first : {"RCLONE_ENCRYPT_V0:", "RCLONE_ENCRYPT_V9:"}) {
    const auto file = RcloneFile::parse("# Encrypted\n\n" + first + "\nAAAA\n", "/r/rclone.conf");
    ASSERT_THAT(file, FailsWith(ErrorKind::kUnsupported));
    EXPECT_THAT(file.error().for_people(),
                AllOf(HasSubstr("/r/rclone.conf"), HasSubstr("encrypted"), HasSubstr("sftp:")));
  }
}

class RcloneFilePlace : public ::testing::Test {
 protected:
  void SetUp() override {
    environment_.set("RCLONE_CONFIG", std::nullopt);
    environment_.set("XDG_CONFIG_HOME", path("xdg"));
    environment_.set("HOME", path("home"));
  }
  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }
  void make(const std::string& name) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    testing::write_file(path(name), "[" + name + "]\ntype = local\n");
  }

  testing::TempDir dir_;
  testing::Environment environment_;
};

TEST_F(RcloneFilePlace, IsTheFirstThatExists) {
  EXPECT_EQ(RcloneFile::find(), std::nullopt);
  EXPECT_THAT(value_of(RcloneFile::read()).sections(), ElementsAre());
  for (const std::string name :
       {"home/.rclone.conf", "home/.config/rclone/rclone.conf", "xdg/rclone/rclone.conf"}) {
    make(name);
    EXPECT_EQ(RcloneFile::find(), path(name));
    EXPECT_THAT(value_of(RcloneFile::read()).sections(), ElementsAre(name));
  }
}

TEST_F(RcloneFilePlace, IsWhatTheVariableSaysWhetherItExistsOrNot) {
  make("home/.rclone.conf");
  environment_.set("RCLONE_CONFIG", path("missing"));
  const RcloneFile missing = value_of(RcloneFile::read());
  EXPECT_EQ(missing.path(), path("missing"));
  EXPECT_THAT(missing.sections(), ElementsAre());
  for (const std::string none : {"", "/dev/null", "/somewhere/notfound"}) {
    environment_.set("RCLONE_CONFIG", none);
    EXPECT_EQ(RcloneFile::find(), std::nullopt) << none;
  }
}

TEST_F(RcloneFilePlace, ThatCannotBeReadIsNamed) {
  environment_.set("RCLONE_CONFIG", dir_.path().string());
  const auto file = RcloneFile::read();
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message(), HasSubstr(dir_.path().string()));
}

}  // namespace
}  // namespace restree
