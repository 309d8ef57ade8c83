// `restree backup` beside others at the same repository: itself, restic's prune, and their locks.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "repo/base/unique_fd.h"
#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupInCompany : public ::testing::Test {
 protected:
  BackupInCompany() { restic_.init(); }

  fs::path folder(const std::string& name, std::uint64_t seed) const {
    fs::path path = dir_.path() / name;
    fs::create_directories(path);
    write_random_file(path / "large", seed, 48 * kMiB);
    return path;
  }
  fs::path repository() const { return restic_.repository(); }
  static std::vector<std::string> backup_of(const fs::path& source) {
    return {"backup", "--pack-size", "4", source.string()};
  }
  // Lets the program go on until it has done something that shows in the repository; stops it
  // there.
  template <class Condition>
  static void stop_once(Process& program, Condition condition) {
    EXPECT_TRUE(
        holds_within(seconds(patient(60)), [&] { return condition() || !program.running(); }));
    program.signal(SIGSTOP);
    EXPECT_TRUE(program.running()) << "it was too quick";
  }
  // A restic that has the repository for itself, and does not go on.
  Process stopped_prune() {
    const fs::path source = folder("pruned", 7);
    restic_.forget(restic_.backup({source.string()}));
    Process prune = restic_.start({"prune", "--max-unused", "0"});
    stop_once(prune, [&] { return !stored_in(repository(), "locks").empty(); });
    return prune;
  }
  void expect_restores(const fs::path& source) const {
    const TempDir restored;
    restic_.run_ok(
        {"restore", "latest", "--path", source.string(), "--target", restored.path().string()});
    EXPECT_EQ(differences(restored.path() / source.relative_path(), source), "");
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  RestreeProgram restree_{restic_};
};

TEST_F(BackupInCompany, TwoAtTheSameTimeAreBothWhole) {
  const fs::path one = folder("one", 1);
  const fs::path other = folder("other", 1);  // the same content: both store the same blobs
  write_random_file(other / "more", 2, 8 * kMiB);
  Process first = restree_.start(backup_of(one));
  Process second = restree_.start(backup_of(other));
  const Finished first_done = first.wait(seconds(patient(60)));
  const Finished second_done = second.wait(seconds(patient(60)));
  EXPECT_TRUE(first_done.ok()) << first_done.report();
  EXPECT_TRUE(second_done.ok()) << second_done.report();
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  restic_.check();
  expect_restores(one);
  expect_restores(other);
}

TEST_F(BackupInCompany, APruneIsRefusedWhileABackupRuns) {
  const fs::path source = folder("source", 1);
  Process backup = restree_.start(backup_of(source));
  stop_once(backup, [&] { return stored_in(repository(), "data").size() >= 2; });
  const Finished prune = restic_.run({"prune"});
  EXPECT_FALSE(prune.ok());
  EXPECT_THAT(prune.err, HasSubstr("already locked by PID " + std::to_string(backup.pid())));
  backup.signal(SIGCONT);
  const Finished done = backup.wait(seconds(patient(60)));
  EXPECT_TRUE(done.ok()) << done.report();
  restic_.prune();
  restic_.check();
  expect_restores(source);
}

TEST_F(BackupInCompany, IsRefusedWhileAPruneRunsAndNamesItsProcess) {
  Process prune = stopped_prune();
  const Finished refused = restree_.run(backup_of(folder("source", 1)));
  EXPECT_EQ(refused.exit_code, 11) << refused.report();
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("locked exclusively by PID " + std::to_string(prune.pid()) + " on "),
                    HasSubstr("lock was created at ")));
  EXPECT_EQ(stored_in(repository(), "locks").size(), 1U);
  EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty());
}

TEST_F(BackupInCompany, WaitsForAPruneIfAskedTo) {
  Process prune = stopped_prune();
  const fs::path source = folder("source", 1);
  std::vector<std::string> words = backup_of(source);
  words.insert(words.end(), {"--retry-lock", "2m"});
  Process backup = restree_.start(words);
  const std::string printed = "/proc/" + std::to_string(backup.pid()) + "/fd/1";
  EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
    return read_file(printed).find("waiting up to 2m0s for the lock") != std::string::npos;
  }));
  prune.signal(SIGCONT);
  const Finished pruned = prune.wait(seconds(patient(60)));
  const Finished done = backup.wait(seconds(patient(60)));
  EXPECT_TRUE(done.ok()) << done.report() << pruned.report();
  restic_.check();
  expect_restores(source);
}

TEST_F(BackupInCompany, IsRefusedAfterAPruneThatDiedUntilItIsUnlocked) {
  Process prune = stopped_prune();
  prune.signal(SIGKILL);
  prune.wait(seconds(60));
  const fs::path source = folder("source", 1);
  const Finished refused = restree_.run(backup_of(source));
  EXPECT_EQ(refused.exit_code, 11) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("`unlock` command"));
  EXPECT_TRUE(restree_.run({"unlock"}).ok());
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  const Finished done = restree_.run(backup_of(source));
  EXPECT_TRUE(done.ok()) << done.report();
  restic_.check();
  expect_restores(source);
}

// A backup of a pipe, which waits for what the test writes to it.
class BackupOfAPipe : public BackupInCompany {
 protected:
  BackupOfAPipe() {
    restree_.backup({folder("kept", 3).string()});
    EXPECT_EQ(::mkfifo(pipe_path().c_str(), 0600), 0);
    Command command = restree_.command({"backup", "--stdin"});
    command.argv.insert(command.argv.begin(),
                        {"sh", "-c", R"(exec "$@" <"$0")", pipe_path().string()});
    backup_.emplace(Process::start(command));
    pipe_ = UniqueFd(::open(pipe_path().c_str(), O_WRONLY));
    EXPECT_EQ(::write(pipe_.get(), "data\n", 5), 5);
    EXPECT_TRUE(holds_within(seconds(patient(60)),
                             [&] { return stored_in(repository(), "locks").size() == 1; }));
  }
  fs::path pipe_path() const { return dir_.path() / "pipe"; }
  Finished end_of_backup() {
    pipe_ = UniqueFd();
    return backup_->wait(seconds(patient(60)));
  }
  // As from a container that has the same host name.
  Finished run_in_another_pid_namespace(std::vector<std::string> words) const {
    Command command = restree_.command(std::move(words));
    command.argv.insert(command.argv.begin(), {"unshare", "--pid", "--fork", "--mount-proc"});
    return testing::run(command);
  }

  UniqueFd pipe_;
  std::optional<Process> backup_;
};

TEST_F(BackupOfAPipe, KeepsItsLockWhateverRunsInAnotherPidNamespace) {
  const auto lock = stored_in(repository(), "locks");
  EXPECT_TRUE(run_in_another_pid_namespace({"snapshots"}).ok());
  EXPECT_EQ(stored_in(repository(), "locks"), lock);
  EXPECT_TRUE(run_in_another_pid_namespace({"backup", "-q", folder("more", 4).string()}).ok());
  EXPECT_EQ(stored_in(repository(), "locks"), lock);
  EXPECT_EQ(run_in_another_pid_namespace({"forget", "latest"}).exit_code, 11);
  EXPECT_TRUE(run_in_another_pid_namespace({"unlock"}).ok());
  EXPECT_EQ(stored_in(repository(), "locks"), lock);
  EXPECT_TRUE(end_of_backup().ok());
  restic_.check();
}

TEST_F(BackupOfAPipe, WhoseLockWasRemovedWritesNoSnapshot) {
  const auto before = stored_in(repository(), "snapshots");
  restic_.run_ok({"unlock", "--remove-all"});
  const Finished done = end_of_backup();
  EXPECT_EQ(done.exit_code, 11) << done.report();
  EXPECT_THAT(done.err, AllOf(HasSubstr("was removed by others"), HasSubstr("Start again")));
  EXPECT_EQ(stored_in(repository(), "snapshots"), before);
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  restic_.check();
}

}  // namespace
}  // namespace restree::testing
