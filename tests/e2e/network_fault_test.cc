// A server that dies, falls silent or comes back, seen by programs that read from the mount.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <memory>
#include <thread>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted_over_ssh.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;

// How long a read waits for the server: of a mount that is being made, so do the first requests, before
// which a login may take seconds under a sanitizer and beside other tests.
std::string time_limit() { return test_scale() < 1.0 ? "timeout=12" : "timeout=6"; }

class NetworkFault : public ::testing::TestWithParam<SshTransport> {
 protected:
  static void SetUpTestSuite() {
    data_ = std::make_unique<TempDir>();
    fs::create_directories(source() / "folder");
    fs::create_directories(data_->path() / "other");
    write_random_file(source() / "large", 1, scaled(256 * kMiB, 48 * kMiB));
    write_file(source() / "small", "a few bytes");
    write_file(source() / "folder/untouched", "not looked at before the fault");
    write_file(data_->path() / "other/untouched", "in packs of its own");
    restic().init();
    restic().backup({"--tag", "app=a", source().string()});
    // Nothing of it comes along with what lies near the other.
    restic().backup({"--tag", "app=far", (data_->path() / "other").string()});
  }
  static void TearDownTestSuite() { data_.reset(); }

  static fs::path source() { return data_->path() / "source"; }
  static Restic restic() { return Restic(data_->path() / "home"); }

  MountRequest request(std::vector<std::string> options = {}) {
    return mount_over_ssh(restic(), sshd_, GetParam(), std::move(options));
  }
  static fs::path app(const Mounted& mounted) { return mounted / "apps/a/latest"; }

  // `cp` of the large file, stopped (SIGSTOP) when a fifth of it has been written.
  Process cp_under_way(const Mounted& mounted) {
    Process cp =
        Process::start({.argv = {"cp", (app(mounted) / "large").string(), copy().string()}});
    const auto fifth = fs::file_size(source() / "large") / 5;
    const bool under_way = holds_within(seconds(patient(60)), [&] {
      std::error_code ignored;
      const auto size = fs::file_size(copy(), ignored);
      return !ignored && size >= fifth;
    });
    cp.signal(SIGSTOP);
    EXPECT_TRUE(under_way);
    EXPECT_LT(fs::file_size(copy()), fs::file_size(source() / "large")) << "cp was too quick";
    return cp;
  }
  fs::path copy() const { return here_.path() / "copy"; }
  void expect_cp_finishes_right(Process& cp) {
    cp.signal(SIGCONT);
    const Finished finished = cp.wait(seconds(patient(120)));
    EXPECT_TRUE(finished.ok()) << finished.report();
    const Finished cmp = run({.argv = {"cmp", copy().string(), (source() / "large").string()}});
    EXPECT_TRUE(cmp.ok()) << cmp.report();
  }

  static std::unique_ptr<TempDir> data_;
  TempDir here_;
  Sshd sshd_;
};
std::unique_ptr<TempDir> NetworkFault::data_;

INSTANTIATE_TEST_SUITE_P(Transports, NetworkFault,
                         ::testing::Values(SshTransport::kBuiltIn, SshTransport::kCommand),
                         [](const auto& instance) {
                           return instance.param == SshTransport::kBuiltIn ? "BuiltIn" : "Command";
                         });

TEST_P(NetworkFault, CpFinishesOverAServerThatIsKilledAndRestarted) {
  const Mounted mounted(request());
  Process cp = cp_under_way(mounted);
  sshd_.stop();
  cp.signal(SIGCONT);
  // The fault is that the server stays away for a time, so a time is what passes here.
  std::thread restart([&] {
    std::this_thread::sleep_for(seconds(2));
    sshd_.start();
  });
  expect_cp_finishes_right(cp);
  restart.join();
}

TEST_P(NetworkFault, CpFinishesOverConnectionsThatAreReset) {
  const Mounted mounted(request());
  Process cp = cp_under_way(mounted);
  sshd_.kill_connections();
  expect_cp_finishes_right(cp);
}

TEST_P(NetworkFault, CpFinishesOverConnectionsThatFallSilent) {
  const Mounted mounted(request());
  Process cp = cp_under_way(mounted);
  sshd_.freeze_connections();
  expect_cp_finishes_right(cp);
  sshd_.thaw_connections();
}

TEST_P(NetworkFault, AReadWithoutServerIsEioWithinTheTimeLimitAndNeverEnoent) {
  const Mounted mounted(request({time_limit()}));
  ASSERT_EQ(read_file(app(mounted) / "small"), "a few bytes");
  sshd_.stop();
  const auto begin = steady_clock::now();
  EXPECT_EQ(errno_of_reading(app(mounted) / "large"), EIO);
  EXPECT_LT(steady_clock::now() - begin, seconds(patient(6) + 6));
  struct stat attributes {};
  EXPECT_EQ(::stat((mounted / "apps/far/latest/untouched").c_str(), &attributes), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_THAT(mounted.log(), HasSubstr("large"));

  sshd_.start();
  // Not `small`: the kernel holds that, and so it could be read while the server is still missed.
  EXPECT_TRUE(holds_within(seconds(patient(30)), [&] {
    return ::stat((mounted / "apps/far/latest/untouched").c_str(), &attributes) == 0 &&
           errno_of_reading(app(mounted) / "large") == 0;
  }));
  EXPECT_EQ(differences(app(mounted), source()), "");
}

TEST_P(NetworkFault, ASilentServerIsEioWithinTheTimeLimit) {
  const Mounted mounted(request({time_limit()}));
  ASSERT_TRUE(fs::exists(app(mounted) / "large"));
  sshd_.freeze();
  const auto begin = steady_clock::now();
  EXPECT_EQ(errno_of_reading(app(mounted) / "large"), EIO);
  EXPECT_LT(steady_clock::now() - begin, seconds(patient(6) + 6));
  sshd_.thaw();
  EXPECT_TRUE(holds_within(seconds(patient(30)),
                           [&] { return errno_of_reading(app(mounted) / "large") == 0; }));
}

TEST_P(NetworkFault, FilesThatTheKernelHasSeenAreServedWithoutServer) {
  const Mounted mounted(request({time_limit()}));
  ASSERT_EQ(read_file(app(mounted) / "small"), "a few bytes");
  ASSERT_EQ(names_in(app(mounted)).size(), 3U);
  sshd_.stop();
  const auto begin = steady_clock::now();
  EXPECT_EQ(read_file(app(mounted) / "small"), "a few bytes");
  EXPECT_EQ(names_in(app(mounted)).size(), 3U);
  EXPECT_LT(steady_clock::now() - begin, seconds(patient(3)));
}

TEST_P(NetworkFault, StatfsAnswersWithoutServer) {
  const Mounted mounted(request());
  sshd_.freeze();
  const auto begin = steady_clock::now();
  EXPECT_TRUE(run({.argv = {"df", mounted.path().string()}}).ok());
  EXPECT_LT(steady_clock::now() - begin, seconds(patient(3)));
  sshd_.thaw();
}

TEST_P(NetworkFault, SnapshotsStayListedWhileTheServerIsAway) {
  const Mounted mounted(request({time_limit(), "refresh=1"}));
  const std::vector<std::string> apps = {"a", "far"};
  ASSERT_EQ(names_in(mounted / "apps"), apps);
  sshd_.stop();
  mounted.signal(SIGHUP);
  // The refresh fails and says so; what was known stays.
  EXPECT_TRUE(holds_within(seconds(patient(30)), [&] { return !mounted.log().empty(); }));
  EXPECT_EQ(names_in(mounted / "apps"), apps);
  sshd_.start();
  const std::string id = restic().backup({"--tag", "app=b", (source() / "folder").string()});
  EXPECT_TRUE(holds_within(seconds(patient(30)), [&] { return fs::exists(mounted / "ids" / id); }));
  restic().forget(id);
}

TEST_P(NetworkFault, ItUnmountsWhileTheServerIsSilent) {
  Mounted mounted(request({"timeout=60"}));
  ASSERT_TRUE(fs::exists(app(mounted) / "large"));
  sshd_.freeze();
  std::thread reader([&] { errno_of_reading(app(mounted) / "large"); });
  mounted.signal(SIGTERM);
  mounted.expect_end(seconds(20));
  reader.join();
  sshd_.thaw();
}

TEST_P(NetworkFault, MountingWithoutServerFailsSoonAndNamesTheServer) {
  sshd_.stop();
  const auto begin = steady_clock::now();
  const Finished refused = try_mount(request({"timeout=5"}));
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("127.0.0.1"));
  EXPECT_LT(steady_clock::now() - begin, seconds(patient(5) + 10));
}

TEST_P(NetworkFault, AnUnknownHostKeyIsRefusedWithItsFingerprint) {
  write_file(sshd_.known_hosts(), "");
  const Finished refused = try_mount(request());
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err,
              HasSubstr(GetParam() == SshTransport::kBuiltIn ? "SHA256:" : "Host key"));
}

}  // namespace
}  // namespace restree::testing
