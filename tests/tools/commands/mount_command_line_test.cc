#include "tools/commands/mount_command_line.h"

#include <gmock/gmock.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace restree {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::value_of;

MountCommandOptions on(const std::string& mount_point) {
  MountCommandOptions options;
  options.mount_points = {mount_point};
  return options;
}

TEST(MountCommand, CallsRestreefsInTheForegroundWithALock) {
  EXPECT_THAT(value_of(restreefs_call(on("/mnt"), {}, "/srv/repo")),
              ElementsAre("restreefs", "/srv/repo", "/mnt", "-f", "-o", "lock,announce"));
}

TEST(MountCommand, HandsOnFiltersAndWhereThePasswordComesFrom) {
  MountCommandOptions options = on("/mnt");
  options.selection.hosts = {"a"};
  options.selection.tags = {"x,y"};
  options.owner_root = true;
  GlobalOptions global;
  global.no_lock = true;
  global.access.password_file = "/etc/pass,word";
  EXPECT_EQ(value_of(restreefs_call(options, global, "r")).back(),
            R"(password_file=/etc/pass\,word,host=a,tag=x\,y,uid=0,gid=0,announce)");
}

TEST(MountCommand, HandsOnTheSecondRepositoryAlsoAnEmptyNameWhichRestreefsRefuses) {
  MountCommandOptions options = on("/mnt");
  options.second.access.location = "/second,copy";
  options.second.access.password_file = "/etc/second";
  options.second.access.key_hint = "ab";
  GlobalOptions global;
  global.no_lock = true;
  EXPECT_EQ(value_of(restreefs_call(options, global, "r")).back(),
            R"(second=/second\,copy,second_password_file=/etc/second,second_key_hint=ab,announce)");
  options.second.access = second_access();
  options.second.access.location = "";
  options.second.access.no_password = true;
  EXPECT_EQ(value_of(restreefs_call(options, global, "r")).back(),
            "second=,second_insecure_no_password,announce");
  options.second = {};
  options.index.source = "packs";
  EXPECT_EQ(value_of(restreefs_call(options, global, "r")).back(), "index=packs,announce");
}

TEST(MountCommand, SaysResticsExtendedOptionsInRestreefssWords) {
  GlobalOptions global;
  global.no_lock = true;
  global.extended = {"sftp.connections=3", "ssh_port=22", "s3.connections=5", "sftp.args=-v",
                     "local.connections=2"};
  EXPECT_EQ(value_of(restreefs_call(on("/mnt"), global, "r")).back(),
            "connections=3,ssh_port=22,ssh_command=ssh -v,announce");
}

TEST(MountCommand, HandsOnHowManyConnectionsRcloneMayHaveWhereItWouldBeRun) {
  testing::Environment environment;
  environment.set("RCLONE_CONFIG_NAS_TYPE", "sftp");
  environment.set("RCLONE_CONFIG_NAS_HOST", "nas");
  GlobalOptions global;
  global.no_lock = true;
  global.rclone = {"rclone.connections=2"};
  EXPECT_EQ(value_of(restreefs_call(on("/mnt"), global, "rclone:nas:x")).back(),
            "announce,connections=2");
  EXPECT_THAT(value_of(restreefs_call(on("/mnt"), global, "sftp:nas:x")),
              ElementsAre("restreefs", "sftp:nas:x", "/mnt", "-f", "-o", "announce"));
}

TEST(MountCommand, HandsOnWaitsAndLimits) {
  GlobalOptions global;
  global.retry_lock = std::chrono::minutes(5);
  global.stuck_request_timeout = std::chrono::milliseconds(1500);
  global.upload_limit = 3 << 10;
  global.download_limit = 4 << 10;
  global.access.key_hint = "ab";
  global.extended = {"silence_timeout=7", "timeout=8"};
  EXPECT_EQ(value_of(restreefs_call(on("/mnt"), global, "r")).back(),
            "key_hint=ab,lock,retry_lock=300,silence_timeout=2,limit_upload=3,limit_download=4,"
            "silence_timeout=7,timeout=8,announce");
}

TEST(MountCommand, HandsOnTheMomentToShow) {
  GlobalOptions global;
  global.no_lock = true;
  global.as_of = "2006-01-02 15:04";
  EXPECT_EQ(value_of(restreefs_call(on("/mnt"), global, "r")).back(),
            "as_of=2006-01-02 15:04,announce");
}

TEST(MountCommand, WaitsForNoLockThatItDoesNotTake) {
  GlobalOptions global;
  global.no_lock = true;
  global.retry_lock = std::chrono::minutes(5);
  EXPECT_THAT(value_of(restreefs_call(on("/mnt"), global, "r")),
              ElementsAre("restreefs", "r", "/mnt", "-f", "-o", "announce"));
}

TEST(MountCommand, HandsOnTheOptionsOfTheCache) {
  GlobalOptions global;
  global.no_lock = true;
  global.cache.folder = "/srv/cache";
  global.extended = {"cache_size=3G", "cache_min_free=20%"};
  EXPECT_EQ(value_of(restreefs_call(on("/mnt"), global, "r")).back(),
            "cache_dir=/srv/cache,cache_size=3G,cache_min_free=20%,announce");
  global.cache.off = true;
  EXPECT_EQ(value_of(restreefs_call(on("/mnt"), global, "r")).back(),
            "cache_dir=/srv/cache,no_cache,cache_size=3G,cache_min_free=20%,announce");
}

TEST(MountCommand, SaysATimeTemplateInStrftimesWords) {
  MountCommandOptions options = on("/mnt");
  options.path_templates = {"by,host/%h/%T", "%i"};
  options.time_template = "Jan 2, 2006";
  GlobalOptions global;
  global.no_lock = true;
  EXPECT_EQ(value_of(restreefs_call(options, global, "r")).back(),
            R"(path_template=by\,host/%h/%T,path_template=%i,time_template=%b %-d\, %Y,announce)");
}

TEST(MountCommand, RefusesTemplatesThatCannotBe) {
  MountCommandOptions options = on("/mnt");
  options.path_templates = {"%i", ""};
  EXPECT_THAT(restreefs_call(options, {}, "r"), FailsWith(ErrorKind::kInvalid));
  options.path_templates.clear();
  for (const char* layout : {"", "/2006", "2006/", "05.000"}) {
    options.time_template = layout;
    EXPECT_THAT(restreefs_call(options, {}, "r"), FailsWith(ErrorKind::kInvalid)) << layout;
  }
}

TEST(MountCommand, NeedsOneMountPoint) {
  EXPECT_THAT(restreefs_call({}, {}, "r"), FailsWith(ErrorKind::kInvalid));
}

TEST(MountCommand, HandsOnThatThereIsNoPassword) {
  GlobalOptions global;
  global.no_lock = true;
  global.insecure_no_password = true;
  EXPECT_EQ(value_of(restreefs_call(on("/mnt"), global, "r")).back(),
            "insecure_no_password,announce");
}

}  // namespace
}  // namespace restree
