// The mount follows a repository that others write to and clear out while it is mounted.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <thread>

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
  // The content that a process which begins now reads through a link `latest`.
  static std::string read_by_another(const Mounted& mounted,
                                     const std::string& path = "apps/a/latest/text") {
    return run({.argv = {"cat", (mounted / path).string()}}).out;
  }
  // A process of its own, since a process goes on to see the snapshot that it saw first.
  static bool says(const Mounted& mounted, const std::string& text) {
    return read_by_another(mounted) == text;
  }
  // A snapshot's file below the folders that lead to it.
  std::string text_below(const fs::path& snapshot) const {
    return (snapshot / source_.relative_path() / "text").string();
  }
  static off_t link_size(const fs::path& link) {
    struct stat shown {};
    EXPECT_EQ(::lstat(link.c_str(), &shown), 0);
    return shown.st_size;
  }
  // Only locks that are in force: one that restic is still writing has another name.
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

// The test's own process copies; the others begin later.
TEST_F(Live, AProcessThatCopiesThroughLatestGetsOneSnapshot) {
  const std::string host = [] {
    std::array<char, 256> name{};
    ::gethostname(name.data(), name.size() - 1);
    return std::string(name.data());
  }();
  const std::vector<std::string> views{"apps/a/latest/text", text_below("snapshots/latest"),
                                       text_below("tags/app=a/latest"),
                                       text_below("hosts/" + host + "/latest")};
  const Mounted mounted(restic_, {"refresh=3600"});
  for (const std::string& path : views) ASSERT_EQ(read_file(mounted / path), "one") << path;
  const std::string first = fs::read_symlink(mounted / "apps/a/latest").string();
  for (const char* text : {"two", "three"}) {
    back_up(text);
    mounted.signal(SIGHUP);
    ASSERT_TRUE(holds_within(seconds(patient(10)), [&] { return says(mounted, text); }));
    for (const std::string& path : views) {
      EXPECT_EQ(read_file(mounted / path), "one") << path;
      EXPECT_EQ(read_by_another(mounted, path), text) << path;
      EXPECT_EQ(read_file(mounted / path), "one") << path << " after another process has read it";
    }
  }
  EXPECT_EQ(fs::read_symlink(mounted / "apps/a/latest"), first);
  EXPECT_EQ(link_size(mounted / "apps/a/latest"), off_t(first.size()));
  std::string read_by_thread;
  std::thread([&] { read_by_thread = read_file(mounted / "apps/a/latest/text"); }).join();
  EXPECT_EQ(read_by_thread, "one") << "another thread of the same process";
}

TEST_F(Live, AProcessWhoseFirstReaderIsAThreadGetsOneSnapshot) {
  const Mounted mounted(restic_, {"refresh=3600"});
  std::thread([&] { EXPECT_EQ(read_file(mounted / "apps/a/latest/text"), "one"); }).join();
  back_up("two");
  mounted.signal(SIGHUP);
  ASSERT_TRUE(holds_within(seconds(patient(10)), [&] { return says(mounted, "two"); }));
  std::thread([&] { EXPECT_EQ(read_file(mounted / "apps/a/latest/text"), "one"); }).join();
  EXPECT_EQ(read_file(mounted / "apps/a/latest/text"), "one");
}

// A child process that reads a file and ends. `number`: that of the process; 0 for any, and then
// the one that it got. nullopt: this process may not choose numbers.
std::optional<std::string> read_by_child(pid_t& number, const fs::path& path) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const UniqueFd out(ends[0]);
  UniqueFd in(ends[1]);
  clone_args how{};
  how.exit_signal = SIGCHLD;
  if (number != 0) {
    how.set_tid = reinterpret_cast<std::uint64_t>(&number);
    how.set_tid_size = 1;
  }
  const auto child = static_cast<pid_t>(::syscall(SYS_clone3, &how, sizeof how));
  if (child < 0) return std::nullopt;
  std::string text(100, '\0');
  if (child == 0) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = ::read(file, text.data(), text.size());
    ::_exit(size >= 0 && ::write(in.get(), text.data(), std::size_t(size)) == size ? 0 : 1);
  }
  in.reset();
  const ssize_t size = ::read(out.get(), text.data(), text.size());
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  number = child;
  return text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

TEST_F(Live, AProcessWithTheNumberOfAnEndedOneFindsTheNewest) {
  const Mounted mounted(restic_, {"refresh=3600"});
  const fs::path path = mounted / "apps/a/latest/text";
  pid_t number = 0;
  ASSERT_EQ(read_by_child(number, path), "one");
  back_up("two");
  mounted.signal(SIGHUP);
  ASSERT_TRUE(holds_within(seconds(patient(10)), [&] { return says(mounted, "two"); }));
  const auto read = read_by_child(number, path);
  if (!read) GTEST_SKIP() << "the number of a process cannot be chosen here";
  EXPECT_EQ(*read, "two");
}

TEST_F(Live, ACopyThroughLatestOfASnapshotThatIsForgottenFailsAndMixesNothing) {
  const Mounted mounted(restic_, {"refresh=3600"});
  ASSERT_EQ(read_file(mounted / "apps/a/latest/text"), "one");
  // With another time, so that it does not get the name of the first.
  write_file(source_ / "text", "two");
  restic_.backup({"--tag", "app=a", "--time", "2040-01-01 00:00:00", source_.string()});
  restic_.forget(first_);
  mounted.signal(SIGHUP);
  ASSERT_TRUE(holds_within(seconds(patient(10)), [&] { return says(mounted, "two"); }));
  EXPECT_FALSE(fs::exists(mounted / "apps/a/latest/text"));
  EXPECT_TRUE(fs::is_symlink(mounted / "apps/a/latest"));
}

// Folders that stay open while the snapshot gets another tag, or is forgotten.
class LiveOpen : public Live {
 protected:
  void SetUp() override {
    Live::SetUp();
    for (const char* folder : {"d1", "d2"}) {
      fs::create_directory(source_ / folder);
      write_file(source_ / folder / "f", folder);
    }
    second_ = back_up("two");
  }
  static std::string read_below(const UniqueFd& folder, const char* name) {
    const UniqueFd file(::openat(folder.get(), name, O_RDONLY | O_CLOEXEC));
    std::string text(100, '\0');
    const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
    return size < 0 ? "cannot be read" : text.substr(0, static_cast<std::size_t>(size));
  }
  static ino_t inode_of(const fs::path& path) {
    struct stat shown {};
    return ::stat(path.c_str(), &shown) == 0 ? shown.st_ino : 0;
  }
  std::string second_;
};

TEST_F(LiveOpen, AFolderOfATaggedSnapshotGoesOnWithItsInodes) {
  const Mounted mounted(restic_, {"refresh=3600"});
  const fs::path shown = mounted / "apps/a" / fs::read_symlink(mounted / "apps/a/latest");
  const UniqueFd folder(::open(shown.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(read_below(folder, "d1/f"), "d1");
  const ino_t root = inode_of(shown);
  const ino_t file = inode_of(shown / "d1/f");
  restic_.run_ok({"tag", "--add", "kept", second_});
  mounted.signal(SIGHUP);
  ASSERT_TRUE(
      holds_within(seconds(patient(10)), [&] { return fs::exists(mounted / "tags/kept"); }));
  EXPECT_EQ(read_below(folder, "d1/f"), "d1");
  EXPECT_EQ(read_below(folder, "d2/f"), "d2");
  EXPECT_EQ(inode_of(shown), root);
  EXPECT_EQ(inode_of(shown / "d1/f"), file);
  EXPECT_EQ(read_file(mounted / "apps/a/latest/d2/f"), "d2") << "through the link, as before";
}

TEST_F(LiveOpen, AFolderOfAForgottenSnapshotGoesOn) {
  const Mounted mounted(restic_, {"refresh=3600"});
  const fs::path root = mounted / "ids" / second_;
  const UniqueFd folder(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(folder);
  restic_.forget(second_);
  mounted.signal(SIGHUP);
  ASSERT_TRUE(holds_within(seconds(patient(10)), [&] { return !fs::exists(root); }));
  const std::string below = source_.relative_path().string();
  EXPECT_EQ(read_below(folder, (below + "/d1/f").c_str()), "d1");
  EXPECT_EQ(read_below(folder, (below + "/d2/f").c_str()), "d2");
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
  // 11 since restic 0.17.
  EXPECT_THAT(refused.exit_code, ::testing::AnyOf(1, 11)) << refused.report();
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
