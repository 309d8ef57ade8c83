// `restree backup` to a server that goes away, and to a disk that is full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupFault : public ::testing::Test {
 protected:
  BackupFault() {
    fs::create_directories(source());
    write_random_file(source() / "large", 1, kLargeBytes);
    write_file(source() / "small", "a few bytes");
  }
  fs::path source() const { return dir_.path() / "source"; }
  fs::path repository() const { return restic_.repository(); }
  // Small packs, so that there are many moments between two of them.
  std::vector<std::string> backup_words() const {
    return {"backup", "--pack-size", "4", source().string()};
  }
  void expect_nothing_half_done() const {
    EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
    EXPECT_THAT(strays_in(repository()), IsEmpty());
  }
  void expect_the_next_one_is_whole(const RestreeProgram& restree) const {
    const Finished next = restree.run(backup_words());
    EXPECT_TRUE(next.ok()) << next.report();
    // The lock that the cut-off backup could not remove is not in the way of another backup.
    const Finished unlock = restree.run({"unlock"});
    EXPECT_TRUE(unlock.ok()) << unlock.report();
    EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
    restic_.check();
    const TempDir restored;
    restic_.restore("latest", restored.path());
    EXPECT_EQ(differences(restored.path() / source().relative_path(), source()), "");
  }

  static constexpr std::uint64_t kLargeBytes = 64 * kMiB;
  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
};

class BackupToALostServer : public BackupFault {
 protected:
  BackupToALostServer() { restic_.init(); }

  // A backup that has stored some of its packs and then lost its server.
  Process backup_cut_off(const std::vector<std::string>& options = {}) {
    std::vector<std::string> words = backup_words();
    words.insert(words.end(), options.begin(), options.end());
    Process backup = restree().start(words);
    EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
      return stored_in(repository(), "data").size() >= 2 || !backup.running();
    }));
    backup.signal(SIGSTOP);
    EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty()) << "the backup was too quick";
    sshd_.stop();
    backup.signal(SIGCONT);
    return backup;
  }
  RestreeProgram restree() const { return {restic_, sshd_}; }

  Sshd sshd_;
};

TEST_F(BackupToALostServer, GoesOnWhenItIsBackInTime) {
  Process backup = backup_cut_off();
  // The fault is that the server stays away for a time, so time has to pass here.
  std::thread restart([&] {
    std::this_thread::sleep_for(seconds(2));
    sshd_.start();
  });
  const Finished finished = backup.wait(seconds(patient(60)));
  restart.join();
  EXPECT_TRUE(finished.ok()) << finished.report();
  EXPECT_THAT(finished.err, AllOf(HasSubstr("trying again"), HasSubstr("works again")));
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  expect_the_next_one_is_whole(restree());
}

TEST_F(BackupToALostServer, EndsWithinTheTimeLimitAndNamesTheServer) {
  Process backup = backup_cut_off({"-o", "timeout=3"});
  const Finished finished = backup.wait(seconds(patient(60)));
  EXPECT_EQ(finished.exit_code, 1) << finished.report();
  EXPECT_THAT(finished.err, AllOf(HasSubstr("Fatal: "), HasSubstr("127.0.0.1")));
  EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty());

  sshd_.start();
  const Finished check = restic_.run({"check", "--no-lock"});
  EXPECT_TRUE(check.ok()) << check.report();
  expect_the_next_one_is_whole(restree());
}

TEST_F(BackupToALostServer, EndsAtOnceWhenInterrupted) {
  Process backup = backup_cut_off();
  EXPECT_TRUE(holds_within(seconds(patient(20)), [&] { return sshd_.connections() == 0; }));
  backup.signal(SIGINT);
  const Finished finished = backup.wait(seconds(patient(30)));
  EXPECT_EQ(finished.exit_code, 130) << finished.report();
  sshd_.start();
  expect_the_next_one_is_whole(restree());
}

enum class Place { kLocal, kSftp };

class BackupToAFullDisk : public BackupFault, public ::testing::WithParamInterface<Place> {
 protected:
  BackupToAFullDisk() {
    fs::create_directories(repository());
    mount(0, "size=24m");
    restic_.init();
    if (GetParam() == Place::kSftp) sshd_ = std::make_unique<Sshd>();
  }
  ~BackupToAFullDisk() override {
    sshd_.reset();
    ::umount2(repository().c_str(), MNT_DETACH);
  }
  void mount(unsigned long flags, const char* options) const {
    if (::mount("tmpfs", repository().c_str(), "tmpfs", flags, options) != 0) {
      throw std::runtime_error("mount a tmpfs");
    }
  }
  RestreeProgram restree() const {
    return sshd_ ? RestreeProgram(restic_, *sshd_) : RestreeProgram(restic_);
  }

  std::unique_ptr<Sshd> sshd_;
};

INSTANTIATE_TEST_SUITE_P(Places, BackupToAFullDisk, ::testing::Values(Place::kLocal, Place::kSftp),
                         [](const auto& instance) {
                           return instance.param == Place::kLocal ? "Local" : "Sftp";
                         });

TEST_P(BackupToAFullDisk, SaysSoAndHowMuchIsFreeAndLeavesTheRepositoryClean) {
  const Finished full = restree().run(backup_words());
  EXPECT_EQ(full.exit_code, 1) << full.report();
  EXPECT_THAT(full.err, AllOf(HasSubstr("Fatal: "), HasSubstr("disk is full"), HasSubstr("free")));
  EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty());
  expect_nothing_half_done();
  const Finished check = restic_.run({"check", "--no-lock"});
  EXPECT_TRUE(check.ok()) << check.report();

  mount(MS_REMOUNT, "size=200m");
  expect_the_next_one_is_whole(restree());
  // The packs that had found room are not stored again.
  EXPECT_LT(bytes_stored_in(repository(), "data"), kLargeBytes + kMiB);
}

}  // namespace
}  // namespace restree::testing
