// Restree's locks and restic's on one repository.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "repo/lock/repository_lock.h"
#include "repo/storage/local_storage.h"
#include "tests/support/files.h"
#include "tests/support/locks.h"
#include "tests/support/mounted.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/temp_dir.h"

namespace restree {
namespace {

using namespace std::chrono_literals;
using testing::FailsWith;
using testing::Finished;
using ::testing::HasSubstr;
using testing::holds_within;
using ::testing::IsEmpty;
using testing::Process;
using ::testing::SizeIs;
using testing::value_of;

Deadline soon() { return Deadline::after(60s); }

class LocksBesideRestic : public ::testing::TestWithParam<std::string> {
 protected:
  LocksBesideRestic() {
    ::signal(SIGHUP, SIG_IGN);  // as every program that holds a lock has to
    restic_.init();
    testing::write_random_file(data_, 1, 64 << 20);
    restic_.backup({data_.string()});
    repository_ = value_of(Repository::open(make_local_storage(restic_.repository().string()),
                                            Secret(std::string(testing::kPassword)), "", soon()));
  }
  Result<std::unique_ptr<RepositoryLock>> acquire(bool exclusive) {
    return RepositoryLock::acquire(*repository_, {.exclusive = exclusive}, soon());
  }
  std::vector<std::string> names() { return testing::lock_names(repository_->storage()); }

  // A restic with an exclusive lock that does not go on.
  Process stopped_check() {
    Process check = restic_.start({"check", "--read-data"});
    EXPECT_TRUE(holds_within(60s, [&] { return !names().empty(); }));
    check.signal(SIGSTOP);
    EXPECT_THAT(names(), SizeIs(1)) << "the check ended before it could be stopped";
    return check;
  }

  testing::TempDir dir_;
  testing::Restic restic_{dir_.path() / "home", GetParam()};
  std::filesystem::path data_ = dir_.path() / "data";
  std::unique_ptr<Repository> repository_;
};

TEST_P(LocksBesideRestic, ASharedOneKeepsOutCommandsThatNeedAnExclusiveOne) {
  const auto lock = value_of(acquire(false));
  EXPECT_TRUE(restic_.run({"backup", data_.string()}).ok());
  const Finished check = restic_.run({"check"});
  EXPECT_FALSE(check.ok());
  EXPECT_THAT(check.err, HasSubstr("already locked by PID " + std::to_string(::getpid())));
}

TEST_P(LocksBesideRestic, AnExclusiveOneKeepsOutEverybody) {
  auto lock = value_of(acquire(true));
  const Finished backup = restic_.run({"backup", data_.string()});
  EXPECT_FALSE(backup.ok());
  EXPECT_THAT(backup.err, HasSubstr("locked exclusively"));
  lock.reset();
  EXPECT_TRUE(restic_.run({"backup", data_.string()}).ok());
}

TEST_P(LocksBesideRestic, ResticsUnlockLeavesThemAlone) {
  const auto lock = value_of(acquire(true));
  restic_.run_ok({"unlock"});
  EXPECT_THAT(names(), SizeIs(1));
}

TEST_P(LocksBesideRestic, AreRefusedWhileResticHasAnExclusiveOne) {
  Process check = stopped_check();
  const auto refused = acquire(false);
  ASSERT_THAT(refused, FailsWith(ErrorKind::kLocked));
  EXPECT_THAT(refused.error().message(),
              HasSubstr("locked exclusively by PID " + std::to_string(check.pid())));
  EXPECT_EQ(value_of(remove_locks(*repository_, false, soon())), 0U);
  check.signal(SIGCONT);
  EXPECT_TRUE(check.wait(120s).ok());
  EXPECT_OK(acquire(false));
}

TEST_P(LocksBesideRestic, LeaveTheOneOfAResticThatWasKilled) {
  Process check = stopped_check();
  check.signal(SIGKILL);
  check.wait(60s);
  const std::vector<std::string> left = names();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_THAT(acquire(false), FailsWith(ErrorKind::kLocked)) << "restic's do not say where it ran";
  EXPECT_EQ(names(), left);
}

TEST_P(LocksBesideRestic, AreReadByRestic) {
  const auto lock = value_of(acquire(false));
  const std::string name = names().front();
  EXPECT_THAT(restic_.run_ok({"list", "locks"}), HasSubstr(name));
  const std::string shown = restic_.run_ok({"cat", "lock", name});
  EXPECT_THAT(shown, HasSubstr("\"pid\": " + std::to_string(::getpid())));
  EXPECT_THAT(shown, HasSubstr("\"exclusive\": false"));
}

TEST_P(LocksBesideRestic, OfDeadProcessesAreUnlockedByRestic) {
  LockFile dead = own_lock(true);
  dead.pid = testing::number_of_a_dead_process();
  value_of(repository_->save_unpacked(FileType::kLock, as_bytes(write_lock_file(dead)), soon()));
  restic_.run_ok({"unlock"});
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(LocksBesideRestic, OfAResticThatWasKilledAreUnlocked) {
  Process check = stopped_check();
  check.signal(SIGKILL);
  check.wait(60s);
  EXPECT_EQ(value_of(remove_locks(*repository_, false, soon())), 1U);
  EXPECT_THAT(names(), IsEmpty());
}

TEST_P(LocksBesideRestic, AMountWaitsForTheOneInItsWay) {
  auto lock = value_of(acquire(true));
  const std::filesystem::path mount_point = dir_.path() / "mnt";
  const std::filesystem::path log = dir_.path() / "log";
  std::filesystem::create_directory(mount_point);
  testing::write_file(dir_.path() / "password", testing::kPassword);
  Process mount =
      Process::start({.argv = {testing::restreefs_path(), restic_.repository().string(),
                               mount_point.string(), "-f", "-o",
                               "lock,retry_lock=120,log_file=" + log.string() +
                                   ",password_file=" + (dir_.path() / "password").string()}});
  ASSERT_TRUE(holds_within(60s, [&] {
    return std::filesystem::exists(log) &&
           testing::read_file(log).find("waiting up to") != std::string::npos;
  }));
  EXPECT_FALSE(testing::is_mounted(mount_point));
  lock.reset();
  EXPECT_TRUE(holds_within(60s, [&] { return testing::is_mounted(mount_point); }));
  EXPECT_THAT(names(), SizeIs(1)) << "the mount has a lock of its own";
  mount.signal(SIGTERM);
  EXPECT_TRUE(mount.wait(60s).ok());
}

INSTANTIATE_TEST_SUITE_P(Restic, LocksBesideRestic, ::testing::ValuesIn(testing::all_restics()),
                         testing::restic_name);

}  // namespace
}  // namespace restree
