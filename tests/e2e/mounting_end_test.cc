// How a mount ends, in good order and otherwise.
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

// Whether somebody reads from a pipe with a name, or is about to; `writer` then keeps it open.
bool has_reader(const fs::path& pipe, UniqueFd& writer) {
  writer = UniqueFd(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return static_cast<bool>(writer);
}

TEST_F(Mounting, SigtermAndSigintEndIt) {
  for (const int number : {SIGTERM, SIGINT}) {
    SCOPED_TRACE(number);
    Mounted mounted(restic());
    expect_works(mounted);
    mounted.signal(number);
    mounted.expect_end();
    EXPECT_THAT(mounted.log(),
                HasSubstr(fmt::format("unmounting {}: {} from process {}", mounted.path().string(),
                                      number == SIGTERM ? "SIGTERM" : "SIGINT", ::getpid())));
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
  command.argv.emplace_back("-f");
  Process process = Process::start(command);
  UniqueFd asked;
  ASSERT_TRUE(holds_within(seconds(patient(30)), [&] { return has_reader(answer, asked); }));
  process.signal(SIGTERM);
  const Finished finished = process.wait(seconds(patient(20)));
  EXPECT_EQ(finished.exit_code, 130) << finished.report();
  EXPECT_FALSE(is_mounted(on));
}

// Keeps everybody waiting who opens a file in a folder, for as long as it lives.
class ClosedFolder {
 public:
  explicit ClosedFolder(const fs::path& folder)
      : visitors_(::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC)),
        works_(::fanotify_mark(visitors_.get(), FAN_MARK_ADD, FAN_OPEN_PERM | FAN_EVENT_ON_CHILD,
                               AT_FDCWD, folder.c_str()) == 0) {}

  // False: this kernel does not ask anybody whether a file may be opened.
  bool works() const { return works_; }
  bool has_visitor() const {
    pollfd visit{.fd = visitors_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&visit, 1, 0) > 0;
  }

 private:
  const UniqueFd visitors_;
  const bool works_;
};

TEST_F(Mounting, SigtermWhileTheIndexIsReadRemovesTheLock) {
  const TempDir here;
  const fs::path on = mount_point();
  const fs::path repository = here.path() / "repository";
  fs::copy(restic().repository(), repository, fs::copy_options::recursive);
  const ClosedFolder index(repository / "index");
  if (!index.works()) GTEST_SKIP() << "nothing holds up an open here";
  MountRequest request = mount_of(restic());
  request.location = repository.string();
  request.options = {"lock"};
  Command command = mount_command(request, here.path(), on);
  command.argv.emplace_back("-f");
  Process process = Process::start(command);
  ASSERT_TRUE(holds_within(seconds(patient(30)), [&] { return index.has_visitor(); }));
  EXPECT_FALSE(fs::is_empty(repository / "locks"));
  process.signal(SIGTERM);
  const Finished finished = process.wait(seconds(patient(20)));
  EXPECT_EQ(finished.exit_code, 130) << finished.report();
  EXPECT_TRUE(fs::is_empty(repository / "locks"));
  EXPECT_FALSE(is_mounted(on));
}

// A process that asks its own mount cannot be killed while it waits for its own answer, and whoever uses
// that mount waits with it.
TEST_F(Mounting, KilledAtAnyMomentOfItsStartLeavesNothingThatHangs) {
  using std::chrono::milliseconds;
  const TempDir here;
  const fs::path on = here.path() / "mnt";
  fs::create_directories(on);
  Command command = mount_command(mount_of(restic()), here.path(), on);
  command.argv.emplace_back("-f");
  const auto begin = std::chrono::steady_clock::now();
  {
    Process whole = Process::start(command);
    ASSERT_TRUE(holds_within(seconds(patient(60)), [&] { return is_mounted(on); }));
    whole.signal(SIGTERM);
    ASSERT_TRUE(whole.wait(seconds(patient(60))).ok());
  }
  const auto start =
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
  const std::uint64_t kills = scaled(60, 10);
  for (std::uint64_t kill = 0; kill < kills && !HasFailure(); ++kill) {
    const milliseconds moment = start * kill / kills;
    SCOPED_TRACE("killed after " + std::to_string(moment.count()) + " ms");
    EXPECT_TRUE(Process::start(command).wait(moment).timed_out);
    if (!is_mounted(on)) continue;
    const Finished asked =
        Process::start({.argv = {"stat", "-f", on.string()}}).wait(seconds(patient(60)));
    EXPECT_FALSE(asked.timed_out);
    EXPECT_THAT(asked.err, HasSubstr("not connected"));
    EXPECT_EQ(::umount2(on.c_str(), MNT_DETACH), 0);
  }
}

TEST_F(Mounting, StoppedWhileItIsInUsePrintsItsOwnWordsAlone) {
  const TempDir here;
  const fs::path on = here.path() / "mnt";
  fs::create_directories(on);
  Command command = mount_command(mount_of(restic()), here.path(), on);
  command.argv.emplace_back("-f");
  Process process = Process::start(command);
  ASSERT_TRUE(holds_within(seconds(patient(60)), [&] { return is_mounted(on); }));
  const UniqueFd used(::open(on.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(used);
  process.signal(SIGTERM);
  const Finished finished = process.wait(seconds(patient(60)));
  EXPECT_EQ(finished.exit_code, 0);
  EXPECT_EQ(finished.err, "");
  EXPECT_FALSE(is_mounted(on));
}

TEST_F(Mounting, GivesTheProgramsThatItStartsNoneOfItsDescriptors) {
  const TempDir here;
  const fs::path seen = here.path() / "seen";
  const fs::path server = here.path() / "sftp-server";
  write_file(server, "#!/bin/sh\nreadlink /proc/self/fd/* >>" + seen.string() +
                         "\nexec /usr/lib/openssh/sftp-server\n");
  fs::permissions(server, fs::perms(0755));
  MountRequest request = mount_of(restic(), {"ssh_command=" + server.string()});
  request.location = "sftp:here:" + restic().repository().string();
  Mounted mounted(request);
  EXPECT_EQ(errno_of_reading(mounted / "apps/a/latest/large"), 0);
  mounted.unmount();
  const std::string all = read_file(seen);
  const auto lines = std::count(all.begin(), all.end(), '\n');
  std::ptrdiff_t programs = 0;
  for (std::size_t at = 0; (at = all.find(seen.string(), at)) != std::string::npos; ++at)
    ++programs;
  EXPECT_GT(programs, 0);
  // Input, output (which goes there), error output, and what this process itself was given.
  const std::string given = run({.argv = {"sh", "-c", "readlink /proc/self/fd/*"}}).out;
  EXPECT_EQ(lines, programs * std::count(given.begin(), given.end(), '\n')) << all << given;
}

TEST_F(Mounting, WhoseConnectionIsCutOffSaysSoOnceAndFails) {
  const TempDir here;
  MountRequest request = mount_of(restic());
  request.mount_point = here.path() / "with a space";
  Mounted mounted(request);
  const UniqueFd used(::open(mounted.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(used);
  // Refused, since the mount is in use, but only once its connection has ended.
  EXPECT_EQ(::umount2(mounted.path().c_str(), MNT_FORCE), -1);
  const std::string said = "the kernel has ended the connection of " + mounted.path().string();
  EXPECT_TRUE(holds_within(seconds(patient(30)),
                           [&] { return mounted.log().find(said) != std::string::npos; }));
  EXPECT_EQ(::umount2(mounted.path().c_str(), MNT_DETACH), 0);
  mounted.expect_end(seconds(20), 1);
  EXPECT_EQ(mounted.log().find(said), mounted.log().rfind(said));
}

TEST_F(Mounting, NeverLooksAtLeavesNothingBehindEither) {
  Mounted mounted(restic());
  mounted.unmount();
}

}  // namespace
}  // namespace restree::testing
