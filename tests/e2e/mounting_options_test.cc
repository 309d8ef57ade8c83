// Which options and arguments a mount accepts, and what they do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "tests/e2e/mounting_fixture.h"
#include "tests/support/mounted.h"
#include "tests/support/programs.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> mount_options(const fs::path& mount_point) {
  std::istringstream words(mount_line(mount_point));
  std::string device, where, type, list;
  words >> device >> where >> type >> list;
  std::vector<std::string> options;
  std::istringstream stream(list);
  for (std::string option; std::getline(stream, option, ',');) options.push_back(option);
  return options;
}

TEST_F(Mounting, IsReadOnlyWithoutDevicesOrSetuidByDefault) {
  const Mounted mounted(restic());
  EXPECT_THAT(mount_options(mounted.path()), ::testing::IsSupersetOf({"ro", "nosuid", "nodev"}));
  EXPECT_THAT(mount_options(mounted.path()), Not(::testing::Contains("allow_other")));
  EXPECT_THAT(mount_line(mounted.path()), HasSubstr(" fuse.restreefs "));
}

TEST_F(Mounting, SetuidProgramsAndDevicesAreAllowedWhereTheUserSaysSo) {
  const Mounted mounted(restic(), {"suid,dev"});
  EXPECT_THAT(mount_options(mounted.path()),
              AllOf(Not(::testing::Contains("nosuid")), Not(::testing::Contains("nodev"))));
}

std::string source_of(const fs::path& mount_point) {
  const std::string line = mount_line(mount_point);
  return line.substr(0, line.find(' '));
}

TEST_F(Mounting, TheSourceIsTheRepositoryAsItWasWritten) {
  const std::string folder = restic().repository().string();
  EXPECT_EQ(source_of(Mounted(restic()).path()), folder);
  EXPECT_EQ(source_of(Mounted(restic(), {"fsname=restic"}).path()), "restic");
}

// A program that speaks SFTP on its standard streams stands in for a server.
TEST_F(Mounting, UmountFindsAServersMountByItsSource) {
  const std::string source = "sftp:localhost:" + restic().repository().string();
  MountRequest request =
      mount_of(restic(), {"no_cache", "ssh_command=/usr/lib/openssh/sftp-server"});
  request.location = source;
  Mounted mounted(request);
  EXPECT_EQ(source_of(mounted.path()), source);
  expect_works(mounted);
  EXPECT_EQ(run_ok({.argv = {"findmnt", "-n", "-o", "TARGET", "-S", source}}),
            mounted.path().string() + "\n");
  run_ok({.argv = {"umount", source}});
  mounted.expect_end();
}

TEST_F(Mounting, AMountPointThatIsMountedAlreadyIsCalledSo) {
  const Mounted mounted(restic());
  const TempDir dir;
  const Finished refused = run(mount_command(mount_of(restic()), dir.path(), mounted.path()));
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr(restic().repository().string() + " is already mounted on " +
                                     mounted.path().string()));
  expect_works(mounted);
}

TEST_F(Mounting, RestreesBackupLeavesOutWhatItHolds) {
  const TempDir dir;
  const Restic restree(dir.path() / "other", restree_path());
  restree.init();
  const fs::path home = dir.path() / "home";
  fs::create_directories(home / "m");
  write_file(home / "mine", "mine");
  MountRequest request = mount_of(restic());
  request.mount_point = home / "m";
  const Mounted mounted(request);
  const Finished saved = restree.run({"backup", home.string()});
  EXPECT_TRUE(saved.ok()) << saved.report();
  const std::string said = (home / "m").string() + " is a mount of restreefs";
  EXPECT_THAT(saved.err, HasSubstr(said));
  EXPECT_EQ(saved.err.find(said), saved.err.rfind(said)) << "it is said once";
  const std::string listed = restree.run_ok({"ls", "latest"});
  EXPECT_THAT(listed,
              AllOf(HasSubstr("/home/mine\n"), HasSubstr("/home/m\n"), Not(HasSubstr("/home/m/"))));
  // A folder in the mount that is named itself is what the user wants.
  restree.run_ok({"backup", fs::canonical(mounted / "apps/a/latest").string()});
  EXPECT_THAT(restree.run_ok({"ls", "latest"}), HasSubstr("/public\n"));
}

TEST_F(Mounting, GenericOptionsAreAccepted) {
  for (const char* option : {"ro",
                             "rw",
                             "defaults",
                             "auto",
                             "noauto",
                             "user",
                             "nouser",
                             "users",
                             "owner",
                             "group",
                             "_netdev",
                             "nofail",
                             "exec",
                             "noexec",
                             "suid",
                             "nosuid",
                             "dev",
                             "nodev",
                             "atime",
                             "noatime",
                             "relatime",
                             "async",
                             "x-systemd.automount",
                             "x-systemd.idle-timeout=60",
                             "x-gvfs-show",
                             "comment=a remark",
                             "ro,_netdev,nofail,noatime"}) {
    SCOPED_TRACE(option);
    const Mounted mounted(restic(), {option});
    expect_works(mounted);
    EXPECT_THAT(mount_options(mounted.path()), ::testing::Contains("ro"));
  }
}

TEST_F(Mounting, AnUnknownOrMalformedOptionIsAnError) {
  for (const char* option : {"nonsense", "refresh=soon", "refresh", "uid=-1", "umask=999",
                             "memory=lots", "ro,nonsense", "timeout=", "lock=yes"}) {
    const Finished refused = try_mount(mount_of(restic(), {option}));
    EXPECT_EQ(refused.exit_code, 1) << option << ": " << refused.report();
    const std::string name = std::string(option).substr(std::string(option).rfind(',') + 1);
    EXPECT_THAT(refused.err, HasSubstr(name.substr(0, name.find('='))));
  }
}

TEST_F(Mounting, ACallWithoutTheTwoPlacesExplainsItself) {
  const Finished finished =
      run({.argv = {restreefs_path()}, .env = {{"RESTIC_REPOSITORY", std::nullopt}}});
  EXPECT_EQ(finished.exit_code, 1) << finished.report();
  EXPECT_THAT(finished.err, Not(::testing::IsEmpty()));
  const Finished help = run({.argv = {restreefs_path(), "--help"}});
  EXPECT_TRUE(help.ok());
  EXPECT_THAT(help.out, AllOf(HasSubstr("REPOSITORY"), HasSubstr("MOUNTPOINT")));
  const Finished version = run({.argv = {restreefs_path(), "--version"}});
  EXPECT_TRUE(version.ok());
  EXPECT_THAT(version.out, HasSubstr("restreefs"));
}

TEST_F(Mounting, OwnersAndModesCanBeOverridden) {
  const Mounted mounted(restic(), {"uid=1001", "gid=1002", "umask=027"});
  struct stat file {};
  ASSERT_EQ(::stat((mounted / "apps/a/latest/public").c_str(), &file), 0);
  EXPECT_EQ(file.st_uid, 1001U);
  EXPECT_EQ(file.st_gid, 1002U);
  EXPECT_EQ(file.st_mode & 07777, 0640U & ~027U);
  struct stat folder {};
  ASSERT_EQ(::stat((mounted / "apps/a/latest/").c_str(), &folder), 0);
  EXPECT_EQ(folder.st_uid, 1001U);
  EXPECT_EQ(folder.st_mode & 07777, 0755U & ~027U);
}

TEST_F(Mounting, OthersAreKeptOutByDefault) {
  MountRequest request = mount_of(restic());
  request.mount_point = mount_point();
  const Mounted mounted(request);
  EXPECT_THAT(as_nobody({"ls", mounted.path().string()}).err, HasSubstr("Permission denied"));
}

TEST_F(Mounting, AllowOtherBringsTheBackedUpPermissionsWithIt) {
  MountRequest request = mount_of(restic(), {"allow_other"});
  request.mount_point = mount_point();
  const Mounted mounted(request);
  EXPECT_THAT(mount_options(mounted.path()),
              ::testing::IsSupersetOf({"allow_other", "default_permissions"}));
  const std::string latest = (mounted / "apps/a/latest/").string();
  EXPECT_EQ(as_nobody({"cat", latest + "public"}).out, "for all");
  EXPECT_THAT(as_nobody({"cat", latest + "private"}).err, HasSubstr("Permission denied"));
}

TEST_F(Mounting, NoDefaultPermissionsShowsOthersEverything) {
  MountRequest request = mount_of(restic(), {"allow_other,no_default_permissions"});
  request.mount_point = mount_point();
  const Mounted mounted(request);
  EXPECT_THAT(mount_options(mounted.path()), Not(::testing::Contains("default_permissions")));
  EXPECT_EQ(as_nobody({"cat", (mounted / "apps/a/latest/private").string()}).out, "for root");
}

}  // namespace
}  // namespace restree::testing
