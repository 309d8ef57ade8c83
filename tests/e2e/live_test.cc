// The mount follows a repository that others write to and clear out while it is mounted.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/mounted.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// An app with one snapshot, which says "one".
class Live : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(source_);
    restic_.init();
    first_ = back_up("one");
  }

  std::string back_up(const std::string& text) {
    write_file(source_ / "text", text);
    return restic_.backup({"--tag", "app=a", source_.string()});
  }
  static bool says(const Mounted& mounted, const std::string& text) {
    std::error_code ignored;
    const fs::path path = mounted / "apps/a/latest/text";
    return fs::exists(path, ignored) && read_file(path) == text;
  }
  // Those that hold: one that restic is still writing has another name.
  std::vector<std::string> locks() {
    std::vector<std::string> names;
    for (const fs::path& file : stored_in(restic_.repository(), "locks")) {
      names.push_back(file.filename().string());
    }
    return names;
  }

  TempDir dir_;
  fs::path source_ = dir_.path() / "source";
  Restic restic_{dir_.path() / "home"};
  std::string first_;
};

TEST_F(Live, ABackupAppearsWithinTheRefreshTime) {
  const Mounted mounted(restic_, {"refresh=2"});
  ASSERT_TRUE(says(mounted, "one"));
  const std::string second = back_up("two");
  EXPECT_TRUE(holds_within(seconds(patient(6)), [&] { return says(mounted, "two"); }));
  EXPECT_THAT(names_in(mounted / "ids"), Contains(second));
  EXPECT_THAT(names_in(mounted / "apps/a"), SizeIs(3)) << "two snapshots and latest";
}

TEST_F(Live, ABackupAppearsAtOnceOnSighup) {
  const Mounted mounted(restic_, {"refresh=3600"});
  ASSERT_TRUE(says(mounted, "one"));
  back_up("two");
  ASSERT_TRUE(says(mounted, "one")) << "appeared without being asked for";
  mounted.signal(SIGHUP);
  EXPECT_TRUE(holds_within(seconds(patient(3)), [&] { return says(mounted, "two"); }));
}

TEST_F(Live, AnAppThatIsNewAppearsToo) {
  const Mounted mounted(restic_, {"refresh=3600"});
  ASSERT_THAT(names_in(mounted / "apps"), Not(Contains("b")));
  restic_.backup({"--tag", "app=b", source_.string()});
  mounted.signal(SIGHUP);
  EXPECT_TRUE(holds_within(seconds(patient(3)),
                           [&] { return fs::exists(mounted / "apps/b/latest/text"); }));
}

TEST_F(Live, AMissingNameIsNotRememberedForEver) {
  const Mounted mounted(restic_, {"refresh=3600"});
  ASSERT_FALSE(fs::exists(mounted / "tags/later"));
  restic_.backup({"--tag", "later", source_.string()});
  mounted.signal(SIGHUP);
  EXPECT_TRUE(
      holds_within(seconds(patient(3)), [&] { return fs::exists(mounted / "tags/later/latest"); }));
}

TEST_F(Live, AForgottenSnapshotGoesAndLatestFallsBack) {
  const std::string second = back_up("two");
  const Mounted mounted(restic_, {"refresh=3600"});
  ASSERT_TRUE(says(mounted, "two"));
  restic_.forget(second);
  mounted.signal(SIGHUP);
  EXPECT_TRUE(holds_within(seconds(patient(3)), [&] { return says(mounted, "one"); }));
  EXPECT_THAT(names_in(mounted / "ids"), Not(Contains(second)));
  EXPECT_FALSE(fs::exists(mounted / "ids" / second));
}

TEST_F(Live, TheLastSnapshotOfAllMayGo) {
  const Mounted mounted(restic_, {"refresh=3600"});
  ASSERT_TRUE(says(mounted, "one"));
  restic_.forget(first_);
  mounted.signal(SIGHUP);
  EXPECT_TRUE(
      holds_within(seconds(patient(3)), [&] { return !fs::exists(mounted / "apps/a/latest"); }));
  EXPECT_THAT(names_in(mounted / "apps"), IsEmpty());
}

TEST_F(Live, AnOpenFileReadsOnAcrossRefreshes) {
  const std::string content = random_bytes(7, 3 * kMiB);
  back_up(content);
  const Mounted mounted(restic_, {"refresh=1"});
  const UniqueFd fd(::open((mounted / "apps/a/latest/text").c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd);
  std::string read(content.size(), '\0');
  std::size_t done = 0;
  for (const char* text : {"two", "three"}) {
    ASSERT_EQ(::pread(fd.get(), read.data() + done, kMiB, off_t(done)), ssize_t(kMiB));
    done += kMiB;
    back_up(text);
    ASSERT_TRUE(holds_within(seconds(patient(10)), [&] { return says(mounted, text); }));
  }
  ASSERT_EQ(::pread(fd.get(), read.data() + done, kMiB, off_t(done)), ssize_t(kMiB));
  EXPECT_TRUE(read == content);
}

// Packs that hold wanted and unwanted blobs side by side, so that a prune has to rewrite them.
TEST_F(Live, APruneInTheMiddleOfALongReadGoesUnnoticed) {
  const std::uint64_t size = scaled(64 * kMiB, 24 * kMiB);
  for (std::uint64_t i = 0; i < 20; ++i) {
    write_random_file(source_ / ("unwanted " + std::to_string(i)), 1000 + i, kMiB);
    write_random_file(source_ / ("kept " + std::to_string(i)), 2000 + i, size / 20);
  }
  const std::string with_all = restic_.backup({"--tag", "app=b", source_.string()});
  for (int i = 0; i < 20; ++i) fs::remove(source_ / ("unwanted " + std::to_string(i)));
  const std::string kept = restic_.backup({"--tag", "app=b", source_.string()});

  const Mounted mounted(restic_, {"refresh=3600"});
  const fs::path shown = mounted / "ids" / kept / source_.relative_path();
  const auto before = names_in(restic_.repository() / "index");
  const UniqueFd fd(::open((shown / "kept 0").c_str(), O_RDONLY | O_CLOEXEC));
  const std::string expected = read_file(source_ / "kept 0");
  std::string half(expected.size() / 2, '\0');
  ASSERT_EQ(::pread(fd.get(), half.data(), half.size(), 0), ssize_t(half.size()));
  restic_.forget(with_all);
  restic_.prune();
  ASSERT_NE(names_in(restic_.repository() / "index"), before) << "the prune changed nothing";
  // The index that the mount holds names packs that are gone now.
  std::string rest(expected.size() - half.size(), '\0');
  ASSERT_EQ(::pread(fd.get(), rest.data(), rest.size(), off_t(half.size())), ssize_t(rest.size()));
  EXPECT_TRUE(half + rest == expected);
  EXPECT_EQ(differences(shown, source_), "");
}

TEST_F(Live, AMountTakesNoLockAndBlocksNoPrune) {
  const Mounted mounted(restic_);
  ASSERT_TRUE(says(mounted, "one"));
  EXPECT_THAT(locks(), IsEmpty());
  const Finished prune = restic_.run({"prune"});
  EXPECT_TRUE(prune.ok()) << prune.report();
}

TEST_F(Live, WithLockAPruneIsRefusedUntilTheMountEnds) {
  Mounted mounted(restic_, {"lock"});
  ASSERT_THAT(locks(), SizeIs(1));
  EXPECT_THAT(restic_.run_ok({"cat", "lock", "--no-lock", locks()[0]}),
              ::testing::HasSubstr("\"exclusive\": false"));
  const Finished refused = restic_.run({"prune"});
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, ::testing::HasSubstr("already locked"));
  const Finished backup = restic_.run({"backup", source_.string()});
  EXPECT_TRUE(backup.ok()) << "a shared lock kept a backup out: " << backup.report();
  mounted.unmount();
  EXPECT_THAT(locks(), IsEmpty());
  EXPECT_TRUE(restic_.run({"prune"}).ok());
}

TEST_F(Live, ALockedMountSurvivesResticsProbeForDeadHolders) {
  // restic unlock sends SIGHUP to the process that a lock names, to see whether it lives.
  const Mounted mounted(restic_, {"lock"});
  restic_.run_ok({"unlock"});
  EXPECT_TRUE(says(mounted, "one"));
  EXPECT_THAT(locks(), SizeIs(1)) << "restic took the lock for stale";
}

TEST_F(Live, WithLockARepositoryLockedByACheckIsNotMounted) {
  write_random_file(source_ / "slow to check", 1, 128 * kMiB);
  restic_.backup({source_.string()});
  Process check = restic_.start({"check", "--read-data"});  // its lock is exclusive
  ASSERT_TRUE(holds_within(seconds(60), [&] { return !locks().empty(); }));
  check.signal(SIGSTOP);
  ASSERT_FALSE(locks().empty()) << "the check ended before it could be stopped";
  const Finished refused = try_mount(mount_of(restic_, {"lock"}));
  EXPECT_EQ(refused.exit_code, 11) << refused.report();
  EXPECT_THAT(refused.err, ::testing::HasSubstr("lock"));
  // Without the option nothing asks for locks.
  const Mounted mounted(restic_);
  EXPECT_TRUE(fs::exists(mounted / "apps/a/latest/text"));
  check.signal(SIGCONT);
  EXPECT_TRUE(check.wait(seconds(120)).ok());
}

}  // namespace
}  // namespace restree::testing
