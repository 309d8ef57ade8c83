// `restree backup`, ended from outside while it is at work: the repository stays whole.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/split_mix.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

enum class Place { kLocal, kSftp };

class BackupCrash : public ::testing::TestWithParam<Place> {
 protected:
  BackupCrash() {
    restic_.init();
    if (GetParam() == Place::kSftp) sshd_ = std::make_unique<Sshd>();
  }
  RestreeProgram restree() const {
    return sshd_ ? RestreeProgram(restic_, *sshd_) : RestreeProgram(restic_);
  }
  fs::path source() const { return dir_.path() / "source"; }
  fs::path repository() const { return restic_.repository(); }
  // Small packs, so that there are many moments between two of them.
  std::vector<std::string> backup_words() const {
    return {"backup", "--pack-size", "4", source().string()};
  }

  // One of four folders, with content that no earlier round had.
  void change_source(std::uint64_t round) {
    const fs::path folder = source() / std::to_string(round % 4);
    fs::create_directories(folder);
    write_random_file(folder / "large", 1000 + round, scaled(12 * kMiB, 8 * kMiB));
    for (std::uint64_t i = 0; i < 50; ++i) {
      write_random_file(folder / ("small" + std::to_string(i)), round * 100 + i, 20 * kKiB);
    }
  }
  // The snapshot, restored by restic, against a folder. No lock: a killed backup's may be there.
  void expect_restores(const std::string& id, const fs::path& as) const {
    const TempDir restored;
    restic_.run_ok({"restore", "--no-lock", id, "--target", restored.path().string()});
    EXPECT_EQ(differences(restored.path() / source().relative_path(), as), "");
  }
  void make_strays_older(std::chrono::hours age) const {
    for (const auto& stray : strays_in(repository())) {
      fs::last_write_time(repository() / stray, fs::file_time_type::clock::now() - age);
    }
  }
  // A command that needs an exclusive lock removes the locks of killed ones, and says so even with
  // -q.
  Finished take_over_locks() const {
    Finished tag = restree().run({"-q", "tag", "--remove", "a tag that none has"});
    EXPECT_TRUE(tag.ok()) << tag.report();
    EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
    return tag;
  }
  void expect_nothing_half_done() const {
    EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
    EXPECT_THAT(strays_in(repository()), IsEmpty());
  }

  // A backup that has stored some of its packs, stopped (SIGSTOP).
  Process backup_under_way() const {
    const auto before = stored_in(repository(), "data").size();
    Process backup = restree().start(backup_words());
    EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
      return stored_in(repository(), "data").size() >= before + 2 || !backup.running();
    }));
    backup.signal(SIGSTOP);
    EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty()) << "the backup was too quick";
    return backup;
  }
  void write_large_source() const {
    fs::create_directories(source());
    write_random_file(source() / "large", 1, scaled(96 * kMiB, 64 * kMiB));
    write_file(source() / "small", "a few bytes");
  }
  // No blob of the large source is stored twice.
  void expect_stored_once() const {
    constexpr double kOverhead = 1.005;
    EXPECT_LT(static_cast<double>(bytes_stored_in(repository(), "data")),
              kOverhead * static_cast<double>(fs::file_size(source() / "large")));
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  std::unique_ptr<Sshd> sshd_;
};

INSTANTIATE_TEST_SUITE_P(Places, BackupCrash, ::testing::Values(Place::kLocal, Place::kSftp),
                         [](const auto& instance) {
                           return instance.param == Place::kLocal ? "Local" : "Sftp";
                         });

// How long an undisturbed backup of one changed folder takes.
template <class Change>
milliseconds undisturbed_time(const RestreeProgram& restree, std::vector<std::string> words,
                              const Change& change) {
  change();
  const auto begin = steady_clock::now();
  const Finished finished = restree.run(std::move(words));
  EXPECT_TRUE(finished.ok()) << finished.report();
  return duration_cast<milliseconds>(steady_clock::now() - begin);
}

TEST_P(BackupCrash, ManyKillsLoseNothing) {
  for (std::uint64_t round = 0; round < 4; ++round) change_source(round);
  const fs::path first_source = dir_.path() / "as it was first";
  run_ok({.argv = {"cp", "-a", source().string(), first_source.string()}});
  const std::string first = restree().backup({source().string()});
  const milliseconds whole = undisturbed_time(restree(), backup_words(), [&] { change_source(4); });

  const std::uint64_t kills = scaled(25, 6);
  SplitMix64 random(42);
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    change_source(5 + kill);
    // Each kill in another slice of that time; the slices reach a little beyond its end.
    const auto piece = static_cast<std::uint64_t>(whole.count()) * 11 / 10;
    const milliseconds moment((piece * kill + random() % (piece + 1)) / kills);
    const Finished killed = restree().start(backup_words()).wait(moment);
    SCOPED_TRACE("kill " + std::to_string(kill) + " after " + std::to_string(moment.count()) +
                 " ms: " + killed.report());
    EXPECT_TRUE(killed.timed_out || killed.ok());
    const Finished check = restic_.run({"check", "--no-lock"});
    EXPECT_TRUE(check.ok()) << check.report();
    if (kill % 4 == 3) expect_restores(first, first_source);
    if (HasFailure()) break;
  }

  const std::string last = restree().backup({source().string()});
  take_over_locks();
  restic_.check();
  expect_restores(last, source());
  expect_restores(first, first_source);
}

TEST_P(BackupCrash, TheNextRunStoresNothingTwiceAndTheNextAloneTakesOverTheLock) {
  write_large_source();
  Process killed = backup_under_way();
  killed.signal(SIGKILL);
  killed.wait(seconds(60));
  const auto left = stored_in(repository(), "locks");
  ASSERT_EQ(left.size(), 1U);
  write_file(repository() / "data/00" / (std::string(64, '0') + "-restree-0"), "half a pack");
  // A server goes on to write what the killed run had sent, and the file would be young again.
  if (sshd_) {
    EXPECT_TRUE(holds_within(seconds(patient(60)), [&] { return sshd_->connections() == 0; }));
  }
  make_strays_older(std::chrono::hours(24));
  const Finished next = restree().run(backup_words());
  EXPECT_TRUE(next.ok()) << next.report();
  EXPECT_EQ(stored_in(repository(), "locks"), left) << "it is not in the way of a backup";
  const Finished tag = take_over_locks();
  EXPECT_THAT(tag.err, HasSubstr("removed the stale lock of PID " + std::to_string(killed.pid())));
  expect_nothing_half_done();
  expect_stored_once();
  restic_.check();
  expect_restores("latest", source());
}

TEST_P(BackupCrash, TemporaryFilesOfFormerRunsAreRemovedWithoutALockAndInCompany) {
  write_large_source();
  restree().backup({source().string()});
  constexpr std::size_t kFolders = 256;
  const std::string id(64, '0');
  const std::string young = "data/00/" + id + "-restree-2";
  const auto leave = [&] {
    write_file(repository() / ("index/" + id + "-restree-1"), "half an index");
    for (std::size_t folder = 0; folder < kFolders; ++folder) {
      write_file(repository() / fmt::format("data/{:02x}/{}-restree-0", folder, id), "half a pack");
    }
    make_strays_older(std::chrono::hours(24));
    write_file(repository() / young, "half a pack");
  };
  const auto expect_removed = [&] {
    const std::vector<fs::path> left = strays_in(repository());
    EXPECT_THAT(left, Contains(repository() / young));
    if (GetParam() == Place::kLocal) {
      EXPECT_THAT(left, SizeIs(1));
      return;
    }
    // On a server a thirteenth of the folders of packs is looked into each time, and all others.
    EXPECT_FALSE(fs::exists(repository() / ("index/" + id + "-restree-1")));
    EXPECT_LE(left.size(), 1 + kFolders - kFolders / 13);
    EXPECT_GE(left.size(), kFolders - kFolders / 13);
  };
  leave();
  ASSERT_THAT(stored_in(repository(), "locks"), IsEmpty());
  restree().backup({source().string()});
  expect_removed();

  Process company = restree().start({"backup", "--stdin-from-command", "--", "sleep", "1000"});
  EXPECT_TRUE(holds_within(seconds(patient(60)),
                           [&] { return !stored_in(repository(), "locks").empty(); }));
  leave();
  restree().backup({source().string()});
  expect_removed();
  company.signal(SIGINT);
  EXPECT_EQ(company.wait(seconds(patient(60))).exit_code, 130);
}

// The file has its length and its header, as after a power cut that came before the last
// write-back.
TEST_P(BackupCrash, APackWithAPageThatNeverReachedTheDiskIsNotTakenOver) {
  write_large_source();
  Process killed = backup_under_way();
  killed.signal(SIGKILL);
  killed.wait(seconds(60));
  const auto packs = stored_in(repository(), "data");
  ASSERT_FALSE(packs.empty());
  const fs::path pack = repository() / packs.front();
  fs::permissions(pack, fs::perms::owner_write, fs::perm_options::add);
  std::string bytes = read_file(pack);
  bytes.replace(100'000, 4096, 4096, '\0');
  write_file(pack, bytes);
  const Finished next = restree().run(backup_words());
  EXPECT_TRUE(next.ok()) << next.report();
  EXPECT_THAT(next.err, HasSubstr("has left a damaged pack, which is not used: pack " +
                                  pack.filename().string()));
  EXPECT_THAT(next.out, HasSubstr("of a run that was interrupted"));
  take_over_locks();
  restic_.check();
  expect_restores("latest", source());
}

// To list the packs of a local repository costs nothing, so its index need not be believed.
TEST(BackupOntoLostPacks, StoresTheirBlobsAgain) {
  const TempDir dir;
  Restic restic{dir.path() / "home"};
  restic.init();
  const RestreeProgram restree(restic);
  const fs::path source = dir.path() / "source";
  fs::create_directories(source);
  write_random_file(source / "a", 1, 3 * kMiB);
  write_random_file(source / "b", 2, 3 * kMiB);
  restree.backup({source.string()});
  // One with data and one with trees.
  const auto before = stored_in(restic.repository(), "data");
  ASSERT_THAT(before, SizeIs(2));
  fs::remove(restic.repository() / before.front());
  const fs::path cut = restic.repository() / before.back();
  fs::permissions(cut, fs::perms::owner_write, fs::perm_options::add);
  fs::resize_file(cut, 100);

  const Finished next = restree.run({"backup", "--force", source.string()});
  EXPECT_TRUE(next.ok()) << next.report();
  EXPECT_THAT(next.err, HasSubstr("2 packs that the index names are missing or cut short"));
  EXPECT_THAT(next.err, HasSubstr("restree repair index"));
  const TempDir restored;
  const Finished restore = restree.run({"restore", "latest", "--target", restored.path().string()});
  EXPECT_TRUE(restore.ok()) << restore.report();
  EXPECT_EQ(differences(restored.path() / source.relative_path(), source), "");
}

// On a server the index is believed, unless a look at the packs is asked for.
TEST(BackupOntoLostPacks, OnAServerStoresTheirBlobsAgainIfToldToLook) {
  const TempDir dir;
  Restic restic{dir.path() / "home"};
  restic.init();
  const Sshd sshd;
  const RestreeProgram restree(restic, sshd);
  const fs::path source = dir.path() / "source";
  fs::create_directories(source);
  write_random_file(source / "a", 1, 3 * kMiB);
  restree.backup({source.string()});
  const auto packs = stored_in(restic.repository(), "data");
  ASSERT_THAT(packs, SizeIs(2));
  const auto bytes_of = [](const fs::path& pack) { return fs::file_size(pack); };
  fs::remove(*std::ranges::max_element(packs, {}, bytes_of));

  const Finished believing = restree.run({"backup", source.string()});
  EXPECT_TRUE(believing.ok()) << believing.report();
  EXPECT_THAT(believing.out, HasSubstr("1 unmodified"));
  EXPECT_LT(bytes_stored_in(restic.repository(), "data"), 3 * kMiB);
  const Finished tried = restree.run({"backup", "--dry-run", "--verify-parent", source.string()});
  EXPECT_THAT(tried.err, HasSubstr("storing the file again")) << tried.report();
  EXPECT_LT(bytes_stored_in(restic.repository(), "data"), 3 * kMiB);
  const Finished looking = restree.run({"backup", "--verify-parent", source.string()});
  EXPECT_EQ(looking.exit_code, 3) << looking.report();  // as restic's, when it stores a file again
  EXPECT_THAT(looking.err, HasSubstr("1 pack that the index names"));
  EXPECT_THAT(looking.err, HasSubstr("storing the file again"));
  const TempDir restored;
  const Finished restore = restree.run({"restore", "latest", "--target", restored.path().string()});
  EXPECT_TRUE(restore.ok()) << restore.report();
  EXPECT_EQ(differences(restored.path() / source.relative_path(), source), "");
}

class BackupStop : public BackupCrash {
 protected:
  void expect_a_clean_end(int signal) {
    write_large_source();
    Process backup = backup_under_way();
    backup.signal(signal);
    backup.signal(SIGCONT);
    const Finished stopped = backup.wait(seconds(patient(30)));
    EXPECT_EQ(stopped.exit_code, 130) << stopped.report();
    EXPECT_THAT(stopped.err, HasSubstr("interrupted"));
    expect_nothing_half_done();
    EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty());
    restic_.check();

    const std::string id = restree().backup({source().string()});
    expect_stored_once();
    restic_.check();
    expect_restores(id, source());
  }
};

INSTANTIATE_TEST_SUITE_P(Places, BackupStop, ::testing::Values(Place::kLocal, Place::kSftp),
                         [](const auto& instance) {
                           return instance.param == Place::kLocal ? "Local" : "Sftp";
                         });

TEST_P(BackupStop, SigintKeepsTheStoredPacks) { expect_a_clean_end(SIGINT); }
TEST_P(BackupStop, ASilentCommandDoesNotHoldItUp) {
  Process backup = restree().start({"backup", "--pack-size", "4", "--stdin-from-command", "--",
                                    "sh", "-c", "head -c 32M /dev/urandom; exec sleep 1000"});
  EXPECT_TRUE(holds_within(seconds(patient(60)),
                           [&] { return stored_in(repository(), "data").size() >= 2; }));
  backup.signal(SIGINT);
  const Finished stopped = backup.wait(seconds(patient(60)));
  EXPECT_EQ(stopped.exit_code, 130) << stopped.report();
  expect_nothing_half_done();
  EXPECT_THAT(stored_in(repository(), "index"), Not(IsEmpty()));
}

// restic goes on to end in good order, however many come.
TEST_P(BackupStop, ManySignalsLeaveNoLock) {
  write_large_source();
  Process backup = backup_under_way();
  for (const int signal : {SIGINT, SIGTERM, SIGCONT}) backup.signal(signal);
  EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
    backup.signal(SIGINT);
    backup.signal(SIGTERM);
    return !backup.running();
  }));
  EXPECT_EQ(backup.wait(seconds(patient(60))).exit_code, 130);
  expect_nothing_half_done();
  EXPECT_THAT(stored_in(repository(), "index"), Not(IsEmpty()));
  restic_.check();
}

TEST_P(BackupStop, SigtermKeepsTheStoredPacks) { expect_a_clean_end(SIGTERM); }

}  // namespace
}  // namespace restree::testing
