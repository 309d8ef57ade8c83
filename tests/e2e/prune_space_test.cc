// `restree prune` of a repository on a disk that is nearly full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/e2e/prune_fixture.h"
#include "tests/support/repository_files.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

enum class Place { kLocal, kSftp };

class PruneOnFullDisk : public Pruned, public ::testing::WithParamInterface<Place> {
 protected:
  static constexpr std::uint64_t kFree = 7 * kMiB;

  PruneOnFullDisk() {
    fs::create_directories(repository());
    if (::mount("tmpfs", repository().c_str(), "tmpfs", 0, "size=80m") != 0) {
      throw std::runtime_error("mount a tmpfs");
    }
    restic_.init();
    // A third of what each pack holds is used by the first snapshot only.
    fs::create_directories(source());
    for (std::uint64_t i = 0; i < 36; ++i) {
      write_random_file(source() / std::to_string(100 + i), i, kMiB);
    }
    restree_.backup({"--pack-size", "4", source().string()});
    for (std::uint64_t i = 0; i < 36; i += 3) fs::remove(source() / std::to_string(100 + i));
    forget_old();
    restore_all(restored_.path());
    run_ok({.argv = {"cp", "-aT", repository().string(), before().string()}});
    fill_disk();
    if (GetParam() == Place::kLocal) return;
    sshd_ = std::make_unique<Sshd>();
    restree_ = RestreeProgram(restic_, *sshd_);
  }
  ~PruneOnFullDisk() override {
    sshd_.reset();
    ::umount2(repository().c_str(), MNT_DETACH);
  }

  fs::path before() const { return dir_.path() / "before"; }
  std::uint64_t free_bytes() const {
    struct statvfs room {};
    if (::statvfs(repository().c_str(), &room) != 0) throw std::runtime_error("statvfs");
    return static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize;
  }
  // Until kFree bytes are left.
  void fill_disk() const {
    const std::uint64_t room = free_bytes();
    if (room > kFree) write_random_file(repository() / "ballast", 1, room - kFree);
  }
  void restore_repository() const {
    for (const auto& entry : fs::directory_iterator(repository())) fs::remove_all(entry.path());
    run_ok({.argv = {"cp", "-aT", before().string(), repository().string()}});
    fill_disk();
  }
  static std::vector<std::string> words() {
    return {"prune", "--max-unused", "0", "--pack-size", "4", "--keep-free", "1M"};
  }
  std::set<std::string> used_blobs() const {
    const Restic twin(dir_.path() / "twin");
    fs::create_directories(twin.repository());
    run_ok({.argv = {"cp", "-aT", before().string(), twin.repository().string()}});
    twin.run_ok({"prune", "--max-unused", "0"});
    return blobs_of(twin);
  }

  TempDir restored_;
  std::unique_ptr<Sshd> sshd_;
};

INSTANTIATE_TEST_SUITE_P(Places, PruneOnFullDisk, ::testing::Values(Place::kLocal, Place::kSftp),
                         [](const auto& instance) {
                           return instance.param == Place::kLocal ? "Local" : "Sftp";
                         });

TEST_P(PruneOnFullDisk, MakesRoomInRoundsWhereResticCannot) {
  const Finished theirs = restic_.run({"prune", "--max-unused", "0", "--pack-size", "4"});
  EXPECT_NE(theirs.exit_code, 0) << "restic has pruned a full disk: " << theirs.report();
  restore_repository();

  const Finished done = restree_.run(words());
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, HasSubstr("copies need: "));
  const auto first = done.out.find(" packs in this round");
  EXPECT_NE(first, std::string::npos) << done.out;
  EXPECT_NE(done.out.find(" packs in this round", first + 1), std::string::npos) << done.out;
  EXPECT_GT(free_bytes(), kFree + 8 * kMiB);
  restic_.run_ok({"check", "--read-data"});
  EXPECT_EQ(blobs_of(restic_), used_blobs());
  expect_restores_as(restored_.path());
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
}

TEST_P(PruneOnFullDisk, SaysWhatItNeedsAndRepacksNothingIfTooLittleWouldStayFree) {
  const std::string need = "copies need: ";
  const Finished dry = restree_.run({"prune", "--max-unused", "0", "--dry-run"});
  EXPECT_TRUE(dry.ok()) << dry.report();
  EXPECT_THAT(dry.out, HasSubstr(need));
  EXPECT_THAT(dry.out, HasSubstr("of 0 B, as 64.000 MiB stay free"));
  const auto packs = stored_in(repository(), "data");
  const Finished refused = restree_.run({"prune", "--max-unused", "0"});
  EXPECT_EQ(refused.exit_code, 1) << refused.report();
  EXPECT_THAT(refused.err, HasSubstr("there is too little free space"));
  EXPECT_THAT(refused.err, HasSubstr("--keep-free"));
  // Apart from what nothing uses all is as it was.
  EXPECT_THAT(packs, IsSupersetOf(stored_in(repository(), "data")));
  restic_.run_ok({"check", "--read-data"});
}

TEST_P(PruneOnFullDisk, KilledBetweenAndInRoundsLeavesAWholeRepository) {
  const auto begin = steady_clock::now();
  const Finished whole = restree_.run(words());
  const auto time = duration_cast<milliseconds>(steady_clock::now() - begin);
  ASSERT_TRUE(whole.ok()) << whole.report();
  const std::set<std::string> used = blobs_of(restic_);
  const std::uint64_t kills = scaled(16, 5);
  restore_repository();
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    const milliseconds moment(static_cast<std::uint64_t>(time.count()) * (kill + 1) / (kills + 1));
    const Finished killed = restree_.start(words()).wait(moment);
    SCOPED_TRACE("killed after " + std::to_string(moment.count()) + " ms: " + killed.report());
    const Finished check = restic_.run({"check", "--read-data", "--no-lock"});
    EXPECT_TRUE(check.ok()) << check.report();
    if (kill % 2 == 1) continue;  // it is killed once more
    Finished done = restree_.run(words());
    if (!done.ok()) {
      // What the killed runs have left may take all the room. A program without locks may have written
      // it, for all that is known, so it goes only if that is said to be out of the question.
      EXPECT_THAT(done.err, AllOf(HasSubstr("there is too little free space"),
                                  HasSubstr("--exclusive gives back")));
      std::vector<std::string> alone = words();
      alone.emplace_back("--exclusive");
      done = restree_.run(alone);
    }
    EXPECT_TRUE(done.ok()) << done.report();
    EXPECT_EQ(blobs_of(restic_), used);
    restic_.run_ok({"check", "--read-data", "--no-lock"});
    restore_repository();
  }
}

}  // namespace
}  // namespace restree::testing
