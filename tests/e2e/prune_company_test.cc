// `restree prune` beside backups, mounts, other programs and its own cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/prune_fixture.h"
#include "tests/support/mounted.h"
#include "tests/support/repository_files.h"
#include "tests/support/scale.h"
#include "tests/support/sshd.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

class PruneInCompany : public Pruned {
 protected:
  PruneInCompany() { restic_.init(); }
  Process backup_without_end() const {
    Process backup = restree_.start({"backup", "--stdin-from-command", "--", "sleep", "1000"});
    EXPECT_TRUE(holds_within(seconds(patient(60)),
                             [&] { return !stored_in(repository(), "locks").empty(); }));
    return backup;
  }
};

TEST_F(PruneInCompany, CopiesBesideABackupAndRemovesOnceItHasEnded) {
  fill(3, 64 * kKiB, 64);
  forget_old();
  const auto packs = stored_in(repository(), "data");
  Process backup = backup_without_end();
  const Finished refused = restree_.run({"prune", "--max-unused", "0"});
  EXPECT_EQ(refused.exit_code, 11) << refused.report();
  EXPECT_THAT(refused.out, HasSubstr("packs repacked"));
  EXPECT_THAT(refused.err, AllOf(HasSubstr("already locked by PID " + std::to_string(backup.pid())),
                                 HasSubstr("Nothing was removed")));
  EXPECT_THAT(stored_in(repository(), "data"), IsSupersetOf(packs));
  restic_.run_ok({"check", "--read-data", "--no-lock"});

  Process waiting = restree_.start({"prune", "--max-unused", "0", "--retry-lock", "2m"});
  const std::string printed = "/proc/" + std::to_string(waiting.pid()) + "/fd/1";
  EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
    return read_file(printed).find("waiting up to 2m0s for the lock") != std::string::npos;
  }));
  backup.signal(SIGINT);
  EXPECT_EQ(backup.wait(seconds(patient(60))).exit_code, 130);
  const Finished done = waiting.wait(seconds(patient(120)));
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, Not(HasSubstr("packs repacked"))) << "they were copied already";
  restic_.check();
  const std::set<std::string> left = blobs_of(restic_);
  restic_.prune();
  EXPECT_EQ(blobs_of(restic_), left);
}

TEST_F(PruneInCompany, WantsToBeAloneFromTheBeginningIfAsked) {
  fill(2, kMiB);
  forget_old();
  Process backup = backup_without_end();
  const auto packs = stored_in(repository(), "data");
  const Finished refused = restree_.run({"prune", "--max-unused", "0", "--exclusive"});
  EXPECT_EQ(refused.exit_code, 11) << refused.report();
  EXPECT_EQ(stored_in(repository(), "data"), packs);
  EXPECT_TRUE(restree_.run({"prune", "--dry-run"}).ok());
  backup.signal(SIGINT);
  EXPECT_EQ(backup.wait(seconds(patient(60))).exit_code, 130);
}

// Backups that begin before and during each prune, by both programs.
TEST_F(PruneInCompany, BesideBackupsLosesNothing) {
  fill(2, scaled(3 * kMiB, kMiB));
  const std::uint64_t rounds = scaled(8, 3);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const fs::path folder = dir_.path() / ("source " + std::to_string(round));
    fs::create_directories(folder);
    // Some of it is what forgotten snapshots had.
    for (std::uint64_t i = 0; i < 6; ++i) {
      write_random_file(folder / std::to_string(i), 1000 * (round % 2) + i + round / 3, kMiB);
    }
    Process ours = restree_.start({"backup", "--retry-lock", "2m", folder.string()});
    Process prune = restree_.start({"prune", "--max-unused", "0", "--retry-lock", "2m"});
    const Finished theirs = restic_.run({"backup", folder.string()});
    EXPECT_TRUE(theirs.ok() || theirs.err.find("already locked") != std::string::npos)
        << theirs.report();
    const Finished saved = ours.wait(seconds(patient(120)));
    EXPECT_TRUE(saved.ok()) << saved.report();
    const Finished pruned = prune.wait(seconds(patient(120)));
    EXPECT_TRUE(pruned.ok()) << pruned.report();
    restic_.check();
    const TempDir restored;
    restic_.run_ok(
        {"restore", "latest", "--path", folder.string(), "--target", restored.path().string()});
    EXPECT_EQ(differences(restored.path() / folder.relative_path(), folder), "");
    if (round % 2 == 1) restic_.forget(*snapshots_of(restic_).begin());
  }
}

TEST_F(PruneInCompany, GoesUnnoticedByAMount) {
  fill(3, scaled(4 * kMiB, kMiB));
  forget_old();
  const std::string kept = snapshots_of(restic_).begin()->substr(0, 8);
  const Mounted mounted(restic_, {"refresh=3600"});
  const fs::path shown = mounted / "ids" / kept / source().relative_path();
  const auto before = names_in(repository() / "index");
  EXPECT_EQ(read_file(shown / "kept 0"), read_file(source() / "kept 0"));
  prune();
  ASSERT_NE(names_in(repository() / "index"), before) << "the prune changed nothing";
  // The index that the mount holds names packs that are gone now.
  EXPECT_EQ(differences(shown, source()), "");
}

TEST_F(PruneInCompany, LeavesYoungPacksOfProgramsWithoutLocksAlone) {
  fill(1, kMiB);
  // What such a program has stored and not named yet.
  for (const fs::path& index : stored_in(repository(), "index")) {
    fs::rename(repository() / index, dir_.path() / index.filename());
  }
  for (const fs::path& snapshot : stored_in(repository(), "snapshots")) {
    fs::rename(repository() / snapshot, dir_.path() / snapshot.filename());
  }
  const auto packs = stored_in(repository(), "data");
  ASSERT_THAT(packs, Not(IsEmpty()));
  const Finished young = prune();
  EXPECT_THAT(young.out, HasSubstr(std::to_string(packs.size()) + " packs in no index"));
  EXPECT_EQ(stored_in(repository(), "data"), packs);
  for (const fs::path& pack : packs) {
    fs::last_write_time(repository() / pack,
                        fs::file_time_type::clock::now() - std::chrono::hours(25));
  }
  const Finished old = prune();
  EXPECT_THAT(old.out, HasSubstr("deleting unreferenced packs"));
  EXPECT_THAT(stored_in(repository(), "data"), IsEmpty());
}

TEST_F(PruneInCompany, LeavesTheCacheRightOverSftp) {
  fill(3, scaled(4 * kMiB, kMiB));
  const Sshd sshd;
  const RestreeProgram far(restic_, sshd);
  EXPECT_TRUE(far.run({"ls", "latest"}).ok());
  forget_old();
  const Finished pruned = far.run({"prune", "--max-unused", "0"});
  EXPECT_TRUE(pruned.ok()) << pruned.report();
  for (const char* const command : {"snapshots", "ls", "check"}) {
    std::vector<std::string> words{command};
    if (words.front() == "ls") words.emplace_back("latest");
    if (words.front() == "check") words.insert(words.end(), {"--with-cache", "--read-data"});
    const Finished done = far.run(words);
    EXPECT_TRUE(done.ok()) << done.report();
    EXPECT_THAT(done.err, IsEmpty());
  }
  const TempDir restored;
  const Finished done = far.run({"restore", "latest", "--target", restored.path().string()});
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_EQ(differences(restored.path() / source().relative_path(), source()), "");
}

}  // namespace
}  // namespace restree::testing
