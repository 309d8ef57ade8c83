#include "repo/storage/rclone/rclone_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "repo/storage/rclone/rclone_remote.h"
#include "tests/support/environment.h"
#include "tests/support/files.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using ::testing::AllOf;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::value_of;

constexpr const char* kObscured = "AAECAwQFBgcICQoLDA0OD2LwFVdisTSqpU56FmE";  // "correct horse"

class RclonePlaceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    environment_.set("RCLONE_CONFIG", path());
    environment_.set("HOME", "/home/joe");
  }
  std::string path() const { return (dir_.path() / "rclone.conf").string(); }
  void configure(const std::string& text) const { testing::write_file(path(), text); }

  RcloneServer server(const std::string& text) const {
    return std::get<RcloneServer>(value_of(find_rclone_place(text)));
  }
  std::string folder(const std::string& text) const {
    return std::get<RcloneFolder>(value_of(find_rclone_place(text))).path;
  }
  // What a refusal says, with its hint.
  std::string refusal(const std::string& text, ErrorKind kind) const {
    const auto place = find_rclone_place(text);
    EXPECT_THAT(place, FailsWith(kind)) << text;
    return place ? "" : place.error().for_people();
  }
  std::string unsupported(const std::string& text) const {
    return refusal(text, ErrorKind::kUnsupported);
  }
  std::string invalid(const std::string& text) const { return refusal(text, ErrorKind::kInvalid); }

  testing::TempDir dir_;
  testing::Environment environment_;
};

TEST_F(RclonePlaceTest, AnSftpRemoteIsItsServerAndLogin) {
  configure(
      std::string("[nas]\ntype = sftp\nhost = nas.example.org\nuser = joe\nport = 2222\npass = ") +
      kObscured +
      "\nkey_file = ~/keys/id\nkey_file_pass = AAECAwQFBgcICQoLDA0OD2LwFVdisTSqpU56FmE\n"
      "known_hosts_file = ${RCLONE_CONFIG_DIR}/known\nconnections = 2\n");
  const RcloneServer server = this->server("nas:backups/x");
  EXPECT_EQ(server.host, "nas.example.org");
  EXPECT_EQ(server.user, "joe");
  EXPECT_EQ(server.port, 2222);
  EXPECT_EQ(server.path, "backups/x");
  EXPECT_EQ(server.key_file, "/home/joe/keys/id");
  EXPECT_EQ(server.known_hosts_file, (dir_.path() / "known").string());
  ASSERT_NE(server.password, nullptr);
  EXPECT_EQ(server.password->text(), "correct horse");
  ASSERT_NE(server.passphrase, nullptr);
  EXPECT_EQ(server.passphrase->text(), "correct horse");
  EXPECT_EQ(server.connections, 2U);
  EXPECT_FALSE(server.use_agent);
  EXPECT_FALSE(server.use_default_keys);
  EXPECT_EQ(this->server("nas:/srv/x").path, "/srv/x");
  EXPECT_EQ(this->server("nas:").path, "");
}

TEST_F(RclonePlaceTest, WithoutKeyAndPasswordTheAgentAndTheUsualKeysAreTried) {
  configure("[nas]\ntype = sftp\nhost = h\nport = 22\nknown_hosts_file = none\n");
  const RcloneServer server = this->server("nas:x");
  EXPECT_TRUE(server.use_agent);
  EXPECT_TRUE(server.use_default_keys);
  EXPECT_EQ(server.user, "");
  EXPECT_EQ(server.port, std::nullopt);
  EXPECT_EQ(server.password, nullptr);
  EXPECT_EQ(server.known_hosts_file, "");
}

TEST_F(RclonePlaceTest, TheAgentIsAskedBesideAKeyOrAPasswordOnlyIfTheRemoteSaysSo) {
  configure(
      "[key]\ntype = sftp\nhost = h\nkey_file = /k\n"
      "[both]\ntype = sftp\nhost = h\nkey_file = /k\nkey_use_agent = true\n"
      "[asks]\ntype = sftp\nhost = h\nask_password = 1\n"
      "[odd]\ntype = sftp\nhost = h\nask_password = maybe\n");
  EXPECT_FALSE(server("key:").use_agent);
  EXPECT_TRUE(server("both:").use_agent);
  EXPECT_FALSE(server("both:").use_default_keys);
  EXPECT_FALSE(server("asks:").use_agent);
  EXPECT_FALSE(server("asks:").use_default_keys);
  EXPECT_THAT(invalid("odd:"), HasSubstr("ask_password"));
}

TEST_F(RclonePlaceTest, WhatIsAboutCopyingFilesIsIgnored) {
  configure(
      "[nas]\ntype = sftp\nhost = h\nshell_type = unix\nmd5sum_command = md5sum\n"
      "sha1sum_command = sha1sum\nset_modtime = false\ndisable_hashcheck = true\nidle_timeout = 0\n"
      "chunk_size = 255k\nconcurrency = 64\nuse_fstat = true\nuse_insecure_cipher = false\n"
      "subsystem = sftp\npath_override = @/volume1\ndescription = the nas\npin_host_key = false\n");
  EXPECT_EQ(server("nas:x").host, "h");
}

TEST_F(RclonePlaceTest, WhatWouldChangeTheConnectionIsRefusedByName) {
  for (const std::string key :
       {"ssh", "server_command", "socks_proxy", "http_proxy", "set_env", "key_pem", "pubkey",
        "pubkey_file", "ciphers", "key_exchange", "macs", "host_key_algorithms", "encoding",
        "subsystem", "host_keys", "override.bwlimit", "global.bind"}) {
    configure("[nas]\ntype = sftp\nhost = h\n" + key + " = SECRET\n");
    const std::string words = unsupported("nas:x");
    EXPECT_THAT(words, AllOf(HasSubstr("remote nas"), HasSubstr(path()), HasSubstr(key),
                             Not(HasSubstr("SECRET"))))
        << key;
    EXPECT_THAT(words, HasSubstr("\n  ")) << key << " has no hint";
  }
  configure("[nas]\ntype = sftp\nhost = h\nuse_insecure_cipher = true\n");
  EXPECT_THAT(unsupported("nas:x"), HasSubstr("use_insecure_cipher"));
  configure("[nas]\ntype = sftp\nhost = h\nuser = %(host)s\n");
  EXPECT_THAT(unsupported("nas:x"), HasSubstr("user"));
  // Beside a file with host keys rclone does not look at them.
  configure("[nas]\ntype = sftp\nhost = h\nhost_keys = x\nknown_hosts_file = /k\n");
  EXPECT_EQ(server("nas:x").known_hosts_file, "/k");
}

TEST_F(RclonePlaceTest, SettingsThatRcloneRefusesAreRefusedByName) {
  configure("[nas]\ntype = sftp\n");
  EXPECT_THAT(invalid("nas:x"), HasSubstr("host"));
  for (const std::string port : {"ssh", "0", "65536", "22 "}) {
    configure("[nas]\ntype = sftp\nhost = h\nport = `" + port + "`\n");
    EXPECT_THAT(invalid("nas:x"), HasSubstr("port")) << port;
  }
  configure("[nas]\ntype = sftp\nhost = h\npass = geheim\n");
  EXPECT_THAT(invalid("nas:x"),
              AllOf(HasSubstr("pass:"), HasSubstr("rclone obscure"), Not(HasSubstr("geheim"))));
}

TEST_F(RclonePlaceTest, OtherTypesAreUnsupportedByName) {
  for (const std::string type : {"s3", "crypt", "drive", "webdav", "union"}) {
    configure("[there]\ntype = " + type + "\nremote = x:\n");
    EXPECT_THAT(unsupported("there:x"),
                AllOf(HasSubstr("there"), HasSubstr("type " + type), HasSubstr("sftp and local")));
  }
}

TEST_F(RclonePlaceTest, AMissingRemoteIsNamedBesideThoseThatAreThere) {
  configure("[nas]\ntype = sftp\n[disk]\ntype = local\n[no_type]\nhost = h\n");
  EXPECT_THAT(invalid("nsa:x"),
              AllOf(HasSubstr("remote nsa in " + path()), HasSubstr("disk, nas.")));
  EXPECT_THAT(invalid("no_type:x"), HasSubstr("no_type"));
  environment_.set("RCLONE_CONFIG", "");
  EXPECT_THAT(invalid("nas:x"),
              AllOf(HasSubstr("no configuration file"), HasSubstr("RCLONE_CONFIG")));
}

TEST_F(RclonePlaceTest, TextsThatNameNoRemoteAreRefusedByWhatTheyAre) {
  configure("");
  EXPECT_THAT(unsupported(":sftp,host=h:x"), HasSubstr("on the fly"));
  EXPECT_THAT(unsupported("nas,pass=geheim:x"),
              AllOf(HasSubstr("connection strings (nas,"), Not(HasSubstr("geheim"))));
  EXPECT_THAT(invalid("nas"), HasSubstr("without rclone:"));
  EXPECT_THAT(invalid("/srv/x"), HasSubstr("without rclone:"));
  EXPECT_THAT(invalid("./a:b"), HasSubstr("without rclone:"));
  EXPECT_THAT(invalid(""), HasSubstr("rclone:"));
}

TEST_F(RclonePlaceTest, ALocalRemoteIsItsFolder) {
  configure("[disk]\ntype = local\ncopy_links = true\n");
  EXPECT_EQ(folder("disk:/srv/backups"), "/srv/backups");
  EXPECT_EQ(folder("disk:backups"), "backups");
  configure("[disk]\ntype = local\nencoding = Slash\n");
  EXPECT_THAT(unsupported("disk:/x"), HasSubstr("encoding"));
}

TEST_F(RclonePlaceTest, AnAliasIsFollowedAndIsTheRootOfItsPaths) {
  configure(
      "[nas]\ntype = sftp\nhost = h\n[disk]\ntype = local\n"
      "[a]\ntype = alias\nremote = nas:sub/folder\n[b]\ntype = alias\nremote = a:deep\n"
      "[login]\ntype = alias\nremote = nas:\n[here]\ntype = alias\nremote = /srv\n"
      "[root]\ntype = alias\nremote = disk:/\n");
  EXPECT_EQ(server("a:x").path, "sub/folder/x");
  EXPECT_EQ(server("a:/x/").path, "sub/folder/x");
  EXPECT_EQ(server("a:../../x").path, "sub/folder/x");
  EXPECT_EQ(server("a:").path, "sub/folder");
  EXPECT_EQ(server("b:x").path, "sub/folder/deep/x");
  EXPECT_EQ(server("login:x").path, "x");
  EXPECT_EQ(server("login:/x").path, "/x");
  EXPECT_EQ(folder("here:x"), "/srv/x");
  EXPECT_EQ(folder("root:x"), "/x");
}

TEST_F(RclonePlaceTest, AliasesOfNothingOrOfThemselvesAreInvalid) {
  configure(
      "[a]\ntype = alias\nremote = a:x\n[b]\ntype = alias\nremote = c:\n[c]\ntype = alias\n"
      "remote = b:\n[d]\ntype = alias\n[e]\ntype = alias\nremote = :local:/x\n"
      "[f]\ntype = alias\nremote = s3:x\n[s3]\ntype = s3\n");
  EXPECT_THAT(invalid("a:x"), HasSubstr("circle"));
  EXPECT_THAT(invalid("b:x"), HasSubstr("circle"));
  EXPECT_THAT(invalid("d:x"), HasSubstr("alias of nothing"));
  EXPECT_THAT(unsupported("e:x"), HasSubstr("on the fly"));
  EXPECT_THAT(unsupported("f:x"), HasSubstr("type s3"));
}

TEST_F(RclonePlaceTest, TheEnvironmentMakesARemoteAndWinsOverTheFile) {
  environment_.set("RCLONE_CONFIG", "");
  environment_.set("RCLONE_CONFIG_MYSSH_TYPE", "sftp");
  environment_.set("RCLONE_CONFIG_MYSSH_HOST", "from.environment");
  environment_.set("RCLONE_CONFIG_MYSSH_PASS", kObscured);
  EXPECT_EQ(server("myssh:x").host, "from.environment");
  EXPECT_EQ(server("MySsh:x").password->text(), "correct horse");
  environment_.set("RCLONE_CONFIG", path());
  configure("[myssh]\ntype = s3\nhost = from.file\nuser = joe\nport = 23\n");
  EXPECT_EQ(server("myssh:x").host, "from.environment");
  EXPECT_EQ(server("myssh:x").user, "joe");
  environment_.set("RCLONE_CONFIG_MYSSH_USER", "");
  environment_.set("RCLONE_SFTP_PORT", "24");
  EXPECT_EQ(server("myssh:x").user, "");
  EXPECT_EQ(server("myssh:x").port, 24);
  environment_.set("RCLONE_CONFIG_MYSSH_PORT", "25");
  EXPECT_EQ(server("myssh:x").port, 25);
}

TEST_F(RclonePlaceTest, AControlCharacterInThePathIsRefused) {
  configure("[nas]\ntype = sftp\nhost = h\n");
  EXPECT_THAT(unsupported("nas:a\tb"), HasSubstr("control characters"));
}

TEST(RcloneVariables, AreExpandedAsGoExpandsThem) {
  testing::Environment environment;
  environment.set("FILES", "/f");
  environment.set("NOT_THERE", std::nullopt);
  const auto expanded = [](std::string_view text) { return with_variables(text, "/conf"); };
  EXPECT_EQ(expanded("$FILES/x"), "/f/x");
  EXPECT_EQ(expanded("${FILES}x"), "/fx");
  EXPECT_EQ(expanded("$FILESx"), "");
  EXPECT_EQ(expanded("a${NOT_THERE}b"), "ab");
  EXPECT_EQ(expanded("$RCLONE_CONFIG_DIR/id"), "/conf/id");
  EXPECT_EQ(expanded("a$"), "a$");
  EXPECT_EQ(expanded("a$/b"), "a$/b");
  EXPECT_EQ(expanded("${}x"), "x");
  EXPECT_EQ(expanded("${x"), "x");
  EXPECT_EQ(expanded("$1x"), "x");
}

}  // namespace
}  // namespace restree
