// How a mount begins.
#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include "tests/e2e/mounting_fixture.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;

// The program where mount.fuse3 looks for it, as after `make install`: it does not keep our PATH.
// Only for this process and its children, in mounts of their own: the folder is the system's.
class Installed {
 public:
  Installed() : outside_(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)) {
    const bool is_done = ::unshare(CLONE_NEWNS) == 0 &&
                         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("none", kFolder, "tmpfs", 0, nullptr) == 0;
    if (!is_done) throw std::system_error(errno, std::generic_category(), "mounts of our own");
    fs::create_symlink(restreefs_path(), fs::path(kFolder) / "restreefs");
  }
  ~Installed() { EXPECT_EQ(::setns(outside_.get(), CLONE_NEWNS), 0); }
  Installed(const Installed&) = delete;
  Installed& operator=(const Installed&) = delete;

 private:
  static constexpr const char* kFolder = "/usr/local/sbin";
  const UniqueFd outside_;
};

// /dev/fuse as udev makes it on every Debian; bare containers and virtual machines may not have it.
class FuseForAll {
 public:
  FuseForAll() : before_(fs::status(kPath).permissions()) {
    fs::permissions(kPath, fs::perms(0666));
  }
  ~FuseForAll() {
    std::error_code ignored;
    fs::permissions(kPath, before_, ignored);
  }
  FuseForAll(const FuseForAll&) = delete;
  FuseForAll& operator=(const FuseForAll&) = delete;

 private:
  static constexpr const char* kPath = "/dev/fuse";
  fs::perms before_;
};

// --- Beginnings ---------------------------------------------------------------------------------

TEST_F(Mounting, FstabMountsItByType) {
  const fs::path on = mount_point();
  const Installed installed;
  write_file(dir_->path() / "fstab",
             restic().repository().string() + " " + on.string() +
                 " fuse.restreefs ro,noauto,_netdev,nofail,x-systemd.automount,allow_other,"
                 "refresh=60,password_file=" +
                 password_file() + " 0 0\n");
  adopt_daemons();
  const Finished mount =
      run({.argv = {"mount", "-T", (dir_->path() / "fstab").string(), on.string()},
           .env = {{"XDG_CACHE_HOME", (dir_->path() / "cache").string()}}});
  ASSERT_TRUE(mount.ok()) << mount.report();
  const auto mounted = Mounted::by_others(on);
  expect_works(*mounted);
  EXPECT_THAT(mount_line(on), HasSubstr(" fuse.restreefs ro,"));
  const Finished umount = run({.argv = {"umount", on.string()}});
  EXPECT_TRUE(umount.ok()) << umount.report();
  mounted->expect_end();
}

TEST_F(Mounting, AFailureReachesMountsExitCode) {
  const fs::path on = mount_point();
  const Installed installed;
  const Finished mount = run({.argv = {"mount", "-t", "fuse.restreefs", "/nowhere", on.string()},
                              .env = {{"RESTIC_PASSWORD", kPassword}}});
  EXPECT_NE(mount.exit_code, 0);
  EXPECT_THAT(mount.err, HasSubstr("/nowhere"));
  EXPECT_FALSE(is_mounted(on));
}

TEST_F(Mounting, RelativePathsMeanTheFolderOfTheCall) {
  const TempDir here;
  fs::create_directories(here.path() / "mnt");
  fs::create_symlink(restic().repository(), here.path() / "repository");
  adopt_daemons();
  const Finished started =
      run({.argv = {restreefs_path(), "repository", "mnt", "-o", "log_file=log"},
           .env = {{"RESTIC_PASSWORD", kPassword},
                   {"XDG_CACHE_HOME", (here.path() / "cache").string()}},
           .folder = here.path()});
  ASSERT_TRUE(started.ok()) << started.report();
  const pid_t pid = child_with_word("mnt");
  ASSERT_GT(pid, 0);
  EXPECT_EQ(read_file(here.path() / "mnt/apps/a/latest/public"), "for all");
  EXPECT_TRUE(fs::exists(here.path() / "log"));
  EXPECT_TRUE(run({.argv = {"fusermount3", "-u", (here.path() / "mnt").string()}}).ok());
  EXPECT_TRUE(holds_within(seconds(patient(20)), [&] {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 &&
           info.si_pid == pid && info.si_status == 0;
  }));
}

TEST_F(Mounting, InTheForegroundItStaysAndEndsOnSigterm) {
  const TempDir here;
  const fs::path on = mount_point();
  Command command = mount_command(mount_of(restic()), here.path(), on);
  command.argv.emplace_back("-f");
  Process process = Process::start(command);
  ASSERT_TRUE(holds_within(seconds(patient(30)), [&] { return is_mounted(on); }));
  EXPECT_EQ(read_file(on / "apps/a/latest/public"), "for all");
  EXPECT_TRUE(process.running());
  process.signal(SIGTERM);
  const Finished finished = process.wait(seconds(patient(20)));
  EXPECT_TRUE(finished.ok()) << finished.report();
  EXPECT_FALSE(is_mounted(on));
}

TEST_F(Mounting, ADeadMountIsClearedFirst) {
  MountRequest request = mount_of(restic());
  request.mount_point = mount_point();
  Mounted dead(request);
  dead.kill();
  struct statvfs answer {};
  ASSERT_EQ(::statvfs(request.mount_point.c_str(), &answer), -1);
  ASSERT_EQ(errno, ENOTCONN);
  Mounted alive(request);
  expect_works(alive);
  alive.unmount();
}

TEST_F(Mounting, AMountPointThatWouldHideSomethingIsRefused) {
  const fs::path base = mount_point();
  fs::create_directories(base / "with file");
  write_file(base / "with file/precious", "x");
  write_file(base / "file", "x");
  fs::create_directories(restic().repository() / "data/00");
  fs::create_symlink(restic().repository(), base / "link to repository");
  for (const fs::path& on :
       {base / "with file", base / "file", base / "missing", base / "link to repository",
        restic().repository(), restic().repository() / "data/00",
        restic().repository().parent_path()}) {
    MountRequest request = mount_of(restic());
    request.mount_point = on;
    const Finished refused = try_mount(request);
    EXPECT_EQ(refused.exit_code, 1) << on << ": " << refused.report();
    EXPECT_THAT(refused.err, HasSubstr(on.filename().string()));
    EXPECT_FALSE(is_mounted(on)) << on;
  }
}

TEST_F(Mounting, TwoMountsOfOneRepositoryGetAlong) {
  MountRequest request = mount_of(restic());
  request.cache = dir_->path() / "shared cache";
  const Mounted one(request);
  const Mounted two(request);
  expect_works(one);
  expect_works(two);
}

TEST_F(Mounting, AnOrdinaryUserCanMount) {
  const FuseForAll fuse_for_all;
  const TempDir here;
  const fs::path on = here.path() / "mnt";
  fs::create_directories(on);
  fs::copy(restic().repository(), here.path() / "repository", fs::copy_options::recursive);
  MountRequest request = mount_of(restic());
  request.location = (here.path() / "repository").string();
  Command command = mount_command(request, here.path(), on);
  run_ok({.argv = {"chown", "-R", "65534:65534", here.path().string()}});
  command.argv.insert(command.argv.begin(),
                      {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
  adopt_daemons();
  const Finished started = run(command);
  ASSERT_TRUE(started.ok()) << started.report();
  const auto mounted = Mounted::by_others(on);
  EXPECT_EQ(as_nobody({"cat", (on / "apps/a/latest/public").string()}).out, "for all");

  // A process that may be dumped belongs to its user in /proc; this one must belong to root.
  struct stat memory {};
  ASSERT_EQ(::stat(("/proc/" + std::to_string(mounted->pid()) + "/mem").c_str(), &memory), 0);
  EXPECT_EQ(memory.st_uid, 0U) << "the process can be dumped and traced by its user";
  EXPECT_TRUE(as_nobody({"fusermount3", "-u", on.string()}).ok());
  mounted->expect_end();
}

}  // namespace
}  // namespace restree::testing
