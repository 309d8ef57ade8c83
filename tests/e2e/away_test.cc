// A repository whose disk is not mounted any more, on this machine and behind a server: a mount
// shows the snapshots that it knew, nothing is written into the empty folder, and all works again
// once the disk is back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/repository_files.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/status_fields.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

enum class Where { kLocal, kServer };

class Away : public ::testing::TestWithParam<Where> {
 protected:
  Away() {
    fs::create_directories(source());
    write_random_file(source() / "large", 1, 24 * kMiB);
    write_file(source() / "small", "a few bytes");
    restic_.init();
    restic_.backup({"--tag", "app=a", source().string()});
    if (GetParam() == Where::kServer) sshd_ = std::make_unique<Sshd>();
  }

  fs::path source() const { return dir_.path() / "source"; }
  fs::path repository() const { return restic_.repository(); }
  fs::path elsewhere() const { return dir_.path() / "elsewhere"; }
  // An empty folder is left, as a mount point is without its disk.
  void take_disk_away() const {
    fs::rename(repository(), elsewhere());
    fs::create_directory(repository());
  }
  void bring_disk_back() const {
    EXPECT_THAT(names_in(repository()), IsEmpty()) << "written into an empty mount point";
    fs::remove_all(repository());
    fs::rename(elsewhere(), repository());
  }

  // Without a cache on disk, so that what was not read before cannot be read.
  MountRequest request() const {
    const std::vector<std::string> options{"refresh=3600", "no_cache"};
    if (!sshd_) return mount_of(restic_, options);
    return mount_over_ssh(restic_, *sshd_, SshTransport::kBuiltIn, options);
  }
  RestreeProgram restree() const {
    return sshd_ ? RestreeProgram(restic_, *sshd_) : RestreeProgram(restic_);
  }
  static std::string online(const Mounted& mounted) {
    return status_fields(read_file(mounted / ".restree/status")).at("online");
  }
  static bool becomes(const Mounted& mounted, const std::string& wanted) {
    return holds_within(seconds(patient(40)), [&] { return online(mounted) == wanted; });
  }
  static fs::path app(const Mounted& mounted) { return mounted / "apps/a/latest"; }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  std::unique_ptr<Sshd> sshd_;
};

TEST_P(Away, AMirrorOfTheMountIsNotEmptied) {
  Mounted mounted(request());
  const fs::path mirror = dir_.path() / "mirror";
  const auto copy = [&] {
    return run({{"rsync", "-a", "--delete", (mounted / "apps/").string(), mirror.string() + "/"}});
  };
  const Finished first = copy();
  ASSERT_TRUE(first.ok()) << first.report();
  const auto before = files_below(mirror);
  ASSERT_FALSE(before.empty());

  take_disk_away();
  mounted.signal(SIGHUP);
  ASSERT_TRUE(becomes(mounted, "false")) << mounted.log();
  copy();
  EXPECT_EQ(files_below(mirror), before);
  EXPECT_THAT(names_in(mounted / "ids"), SizeIs(1));
  const std::string log = mounted.log();
  EXPECT_THAT(log, HasSubstr("the repository is not there any more: no config file"));

  // Before the disk is back, since the mount looks for new snapshots once at that moment.
  restic_.run_ok({"-r", elsewhere().string(), "backup", "--tag", "app=a", source().string()});
  bring_disk_back();
  ASSERT_TRUE(becomes(mounted, "true")) << mounted.log();
  EXPECT_THAT(mounted.log(), HasSubstr("the repository is there again"));
  EXPECT_TRUE(holds_within(seconds(patient(20)), [&] {
    return names_in(mounted / "ids").size() == 2;
  })) << "nobody has looked for new snapshots";
  EXPECT_EQ(differences(app(mounted), source()), "");
  mounted.unmount();
}

TEST_P(Away, AReadInABlinkFailsAndTheNextOneWorks) {
  Mounted mounted(request());
  ASSERT_THAT(names_in(app(mounted)), SizeIs(2));
  take_disk_away();
  EXPECT_EQ(errno_of_reading(app(mounted) / "large"), EIO);
  EXPECT_EQ(online(mounted), "false");
  bring_disk_back();
  ASSERT_TRUE(becomes(mounted, "true")) << mounted.log();
  EXPECT_TRUE(holds_within(seconds(patient(20)),
                           [&] { return errno_of_reading(app(mounted) / "large") == 0; }));
  EXPECT_EQ(differences(app(mounted), source()), "");
  mounted.unmount();
}

TEST_P(Away, AnotherRepositoryInItsPlaceIsNotShown) {
  Mounted mounted(request());
  ASSERT_THAT(names_in(app(mounted)), SizeIs(2));
  fs::rename(repository(), elsewhere());
  restic_.init_slowly();
  mounted.signal(SIGHUP);
  ASSERT_TRUE(becomes(mounted, "false")) << mounted.log();
  EXPECT_THAT(mounted.log(), HasSubstr("another repository lies there now"));
  EXPECT_THAT(names_in(app(mounted)), SizeIs(2));
  fs::remove_all(repository());
  fs::rename(elsewhere(), repository());
  EXPECT_TRUE(becomes(mounted, "true")) << mounted.log();
  EXPECT_EQ(differences(app(mounted), source()), "");
  mounted.unmount();
}

TEST_P(Away, ABackupWhoseDiskGoesFailsAndWritesNothingElsewhere) {
  write_random_file(source() / "new", 2, 64 * kMiB);
  const std::size_t before = stored_in(repository(), "data").size();
  Process backup = restree().start({"backup", "--pack-size", "4", source().string()});
  ASSERT_TRUE(holds_within(seconds(patient(60)), [&] {
    return stored_in(repository(), "data").size() >= before + 2 || !backup.running();
  }));
  backup.signal(SIGSTOP);
  ASSERT_THAT(stored_in(repository(), "snapshots"), SizeIs(1)) << "the backup was too quick";
  take_disk_away();
  backup.signal(SIGCONT);
  const Finished failed = backup.wait(seconds(patient(60)));
  EXPECT_FALSE(failed.timed_out);
  EXPECT_EQ(failed.exit_code, 1) << failed.report();
  EXPECT_THAT(failed.err, HasSubstr("the repository is not there any more: no config file"));

  bring_disk_back();
  restic_.run_ok({"unlock"});
  const Finished next = restree().run({"backup", source().string()});
  EXPECT_TRUE(next.ok()) << next.report();
  restic_.check();
}

INSTANTIATE_TEST_SUITE_P(All, Away, ::testing::Values(Where::kLocal, Where::kServer),
                         [](const auto& instance) {
                           return instance.param == Where::kLocal ? "Local" : "Server";
                         });

}  // namespace
}  // namespace restree::testing
