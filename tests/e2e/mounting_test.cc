// How a mount begins and ends, which options it accepts, and which secrets it does not show.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <memory>
#include <sstream>

#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Mounting : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<TempDir>();
    fs::permissions(dir_->path(), fs::perms(0755));  // some tests look in as nobody
    const fs::path source = dir_->path() / "source";
    fs::create_directories(source);
    write_file(source / "public", "for all");
    write_file(source / "private", "for root");
    fs::permissions(source / "private", fs::perms(0600));
    write_random_file(source / "large", 1, 8 * kMiB);
    restic().init();
    restic().backup({"--tag", "app=a", source.string()});
  }
  static void TearDownTestSuite() { dir_.reset(); }

  static Restic restic() { return Restic(dir_->path() / "home"); }
  // A fresh mount point that everybody can reach.
  static fs::path mount_point() {
    static int count = 0;
    const fs::path path = dir_->path() / ("mnt" + std::to_string(++count));
    fs::create_directories(path);
    return path;
  }
  static std::string password_file() {
    write_file(dir_->path() / "password", std::string(kPassword) + "\n");
    return (dir_->path() / "password").string();
  }
  static Finished as_nobody(std::vector<std::string> argv) {
    argv.insert(argv.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    return run({.argv = std::move(argv)});
  }
  static void expect_works(const Mounted& mounted) {
    EXPECT_EQ(read_file(mounted / "apps/a/latest/public"), "for all");
  }

  static std::unique_ptr<TempDir> dir_;
};
std::unique_ptr<TempDir> Mounting::dir_;

// Whether somebody reads from a pipe with a name, or is about to; `writer` then keeps it open.
bool has_reader(const fs::path& pipe, UniqueFd& writer) {
  writer = UniqueFd(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return static_cast<bool>(writer);
}

// The program where mount.fuse3 looks for it, as after `make install`: it does not keep our PATH.
class Installed {
 public:
  Installed() {
    if (fs::is_symlink(kPath)) fs::remove(kPath);  // of a test that was killed
    fs::create_symlink(restreefs_path(), kPath);
  }
  ~Installed() {
    std::error_code ignored;
    fs::remove(kPath, ignored);
  }
  Installed(const Installed&) = delete;
  Installed& operator=(const Installed&) = delete;

 private:
  static constexpr const char* kPath = "/usr/local/sbin/restreefs";
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

std::vector<std::string> mount_options(const fs::path& mount_point) {
  std::istringstream words(mount_line(mount_point));
  std::string device, where, type, list;
  words >> device >> where >> type >> list;
  std::vector<std::string> options;
  std::istringstream stream(list);
  for (std::string option; std::getline(stream, option, ',');) options.push_back(option);
  return options;
}

// --- Options ------------------------------------------------------------------------------------

TEST_F(Mounting, IsReadOnlyWithoutDevicesOrSetuidByDefault) {
  const Mounted mounted(restic());
  EXPECT_THAT(mount_options(mounted.path()), ::testing::IsSupersetOf({"ro", "nosuid", "nodev"}));
  EXPECT_THAT(mount_options(mounted.path()), Not(::testing::Contains("allow_other")));
  EXPECT_THAT(mount_line(mounted.path()), HasSubstr(" fuse.restreefs "));
}

TEST_F(Mounting, TheNameOfTheFileSystemHasNoColon) {
  const Mounted mounted(restic());
  const std::string line = mount_line(mounted.path());
  EXPECT_THAT(line.substr(0, line.find(' ')), Not(HasSubstr(":")));
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
  command.argv.push_back("-f");
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

// --- Ends ---------------------------------------------------------------------------------------

TEST_F(Mounting, SigtermAndSigintEndIt) {
  for (const int number : {SIGTERM, SIGINT}) {
    SCOPED_TRACE(number);
    Mounted mounted(restic());
    expect_works(mounted);
    mounted.signal(number);
    mounted.expect_end();
  }
}

TEST_F(Mounting, UmountEndsIt) {
  for (const char* flag : {"--verbose", "--lazy"}) {
    SCOPED_TRACE(flag);
    Mounted mounted(restic());
    expect_works(mounted);
    const Finished umount = run({.argv = {"umount", flag, mounted.path().string()}});
    EXPECT_TRUE(umount.ok()) << umount.report();
    mounted.expect_end();
  }
}

TEST_F(Mounting, SigtermEndsItEvenWhileAFileIsOpen) {
  Mounted mounted(restic());
  const UniqueFd fd(::open((mounted / "apps/a/latest/large").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd);
  mounted.signal(SIGTERM);
  mounted.expect_end();
}

TEST_F(Mounting, SigtermBeforeThereIsALockEndsItAtOnce) {
  const TempDir here;
  const fs::path on = mount_point();
  const fs::path answer = here.path() / "answer";
  ASSERT_EQ(::mkfifo(answer.c_str(), 0600), 0);
  MountRequest request = mount_of(restic());
  request.options = {"lock", "password_command=cat " + answer.string()};
  Command command = mount_command(request, here.path(), on);
  command.argv.push_back("-f");
  Process process = Process::start(command);
  UniqueFd asked;
  ASSERT_TRUE(holds_within(seconds(patient(30)), [&] { return has_reader(answer, asked); }));
  process.signal(SIGTERM);
  const Finished finished = process.wait(seconds(patient(20)));
  EXPECT_EQ(finished.exit_code, 130) << finished.report();
  EXPECT_FALSE(is_mounted(on));
}

TEST_F(Mounting, SigtermWhileTheIndexIsReadRemovesTheLock) {
  const TempDir here;
  const fs::path on = mount_point();
  const fs::path repository = here.path() / "repository";
  fs::copy(restic().repository(), repository, fs::copy_options::recursive);
  // Reading them goes on when somebody writes. One shows how far the start has come, the other one
  // holds it up.
  const fs::path one = repository / "index" / std::string(64, 'a');
  const fs::path other = repository / "index" / std::string(64, 'b');
  for (const fs::path& file : {one, other}) ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  MountRequest request = mount_of(restic());
  request.location = repository.string();
  request.options = {"lock"};
  Command command = mount_command(request, here.path(), on);
  command.argv.push_back("-f");
  Process process = Process::start(command);
  UniqueFd read;
  ASSERT_TRUE(holds_within(seconds(patient(30)),
                           [&] { return has_reader(one, read) || has_reader(other, read); }));
  EXPECT_FALSE(fs::is_empty(repository / "locks"));
  process.signal(SIGTERM);
  const Finished finished = process.wait(seconds(patient(20)));
  EXPECT_EQ(finished.exit_code, 130) << finished.report();
  EXPECT_TRUE(fs::is_empty(repository / "locks"));
  EXPECT_FALSE(is_mounted(on));
}

TEST_F(Mounting, NeverLooksAtLeavesNothingBehindEither) {
  Mounted mounted(restic());
  mounted.unmount();
}

// --- Repository and password
// ----------------------------------------------------------------------

TEST_F(Mounting, ThePasswordCanComeFromFilesAndCommands) {
  const std::string file = password_file();
  const std::vector<MountRequest> requests = {
      {.location = {},
       .options = {"password_file=" + file},
       .env = {},
       .mount_point = {},
       .cache = {}},
      {.location = {},
       .options = {"password_command=cat " + file},
       .env = {},
       .mount_point = {},
       .cache = {}},
      {.location = {},
       .options = {},
       .env = {{"RESTIC_PASSWORD_FILE", file}},
       .mount_point = {},
       .cache = {}},
      {.location = {},
       .options = {},
       .env = {{"RESTIC_PASSWORD_COMMAND", "cat '" + file + "'"}},
       .mount_point = {},
       .cache = {}},
  };
  for (MountRequest request : requests) {
    request.location = restic().repository().string();
    request.env.emplace_back("RESTIC_PASSWORD", std::nullopt);
    const Mounted mounted(request);
    expect_works(mounted);
  }
}

TEST_F(Mounting, WithoutPasswordAndTerminalItSaysSo) {
  MountRequest request = mount_of(restic());
  request.env = {{"RESTIC_PASSWORD", std::nullopt}};
  const Finished refused = try_mount(request);
  EXPECT_FALSE(refused.timed_out);
  EXPECT_THAT(refused.exit_code, ::testing::AnyOf(1, 12)) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("password"));
}

TEST_F(Mounting, AFailingPasswordCommandIsNamed) {
  MountRequest request = mount_of(restic(), {"password_command=false"});
  request.env = {{"RESTIC_PASSWORD", std::nullopt}};
  const Finished refused = try_mount(request);
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("false"));
}

TEST_F(Mounting, TheRepositoryCanComeFromTheEnvironment) {
  write_file(dir_->path() / "location", restic().repository().string() + "\n");
  const std::vector<std::pair<std::string, std::string>> places = {
      {"RESTIC_REPOSITORY", restic().repository().string()},
      {"RESTIC_REPOSITORY_FILE", (dir_->path() / "location").string()}};
  for (const auto& place : places) {
    SCOPED_TRACE(place.first);
    const TempDir here;
    const fs::path on = mount_point();
    Command command = mount_command(mount_of(restic()), here.path(), on);
    command.argv.erase(command.argv.begin() + 1);
    command.env.emplace_back(place.first, place.second);
    adopt_daemons();
    const Finished started = run(command);
    ASSERT_TRUE(started.ok()) << started.report();
    expect_works(*Mounted::by_others(on));
  }
}

TEST_F(Mounting, LocalPathsMayBeWrittenAsResticWritesThem) {
  MountRequest request = mount_of(restic());
  request.location = "local:" + restic().repository().string();
  const Mounted mounted(request);
  expect_works(mounted);
}

TEST_F(Mounting, ReadsNoFasterThanItsLimit) {
  const Mounted mounted(restic(), {"limit_download=4096"});
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(errno_of_reading(mounted / "apps/a/latest/large"), 0);  // 8 MiB
  EXPECT_GT(std::chrono::steady_clock::now() - begin, seconds(1));
}

TEST_F(Mounting, ThePasswordIsNotOnTheCommandLineNorInTheLog) {
  const Mounted mounted(restic(), {"password_file=" + password_file()});
  const std::string proc = "/proc/" + std::to_string(mounted.pid());
  EXPECT_THAT(read_file(proc + "/cmdline"), Not(HasSubstr("battery")));
  EXPECT_THAT(mounted.log(), Not(HasSubstr("battery")));
}

}  // namespace
}  // namespace restree::testing
