// `restree prune`, judged by restic: what it leaves is what restic leaves of the same repository, and
// whenever it is killed, restic finds the repository whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/prune_fixture.h"
#include "tests/support/repository_files.h"
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
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A number that `key` has in an object of numbers.
std::uint64_t number_in(const std::string& json, const std::string& object,
                        const std::string& key) {
  const auto begin = json.find("\"" + object + "\":{");
  const auto at = json.find("\"" + key + "\":", begin);
  EXPECT_NE(at, std::string::npos) << json;
  return std::stoull(json.substr(at + key.size() + 3));
}

// --- any repository ------------------------------------------------------------------------------

class AnyPruned : public Pruned, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  AnyPruned() : random_(GetParam()) {
    version_ = random_() % 4 == 0 ? 1 : 2;
    restic_.init(version_);
  }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  void change_source() {
    const fs::path folder = source() / std::to_string(below(3));
    fs::create_directories(folder);
    const std::uint64_t files = 1 + below(8);
    for (std::uint64_t i = 0; i < files; ++i) {
      const fs::path file = folder / std::to_string(below(12));
      if (below(5) == 0) {
        fs::remove(file);
      } else if (below(3) == 0) {
        write_file(file, std::string(1 + below(kMiB), static_cast<char>('a' + below(26))));
      } else {
        // Few seeds, so that files come again that a forgotten snapshot had.
        write_random_file(file, below(40), 1 + below(scaled(3 * kMiB, kMiB)));
      }
    }
  }
  std::vector<std::string> backup_words() {
    std::vector<std::string> words{"backup", source().string()};
    if (version_ == 2 && below(3) == 0) words.insert(words.end(), {"--compression", "off"});
    if (below(2) == 0) words.insert(words.end(), {"--pack-size", "4"});
    return words;
  }
  // By either program; sometimes killed while it is at work.
  void back_up() {
    const bool by_restic = below(2) == 0;
    const std::vector<std::string> words = backup_words();
    Process backup = by_restic ? restic_.start(words) : restree_.start(words);
    if (below(4) != 0) {
      const Finished done = backup.wait(seconds(patient(120)));
      EXPECT_TRUE(done.ok()) << done.report();
      return;
    }
    backup.wait(milliseconds(100 + below(600)));
    restic_.run_ok({"unlock", "--remove-all"});
  }
  void forget_some() {
    for (const std::string& id : snapshots_of(restic_)) {
      if (below(3) == 0) restic_.forget(id);
    }
  }
  // A second copy of blobs: their index file is put away for the time of a backup.
  void store_some_twice() {
    const auto indexes = stored_in(repository(), "index");
    if (indexes.empty()) return;
    const fs::path index = repository() / indexes[below(indexes.size())];
    const fs::path aside = dir_.path() / "aside";
    fs::rename(index, aside);
    const Finished done = restic_.run({"backup", "--force", source().string()});
    EXPECT_TRUE(done.ok()) << done.report();
    fs::rename(aside, index);
  }
  void make_repository() {
    const std::uint64_t rounds = 3 + below(5);
    for (std::uint64_t round = 0; round < rounds; ++round) {
      change_source();
      back_up();
      if (below(4) == 0) store_some_twice();
      if (below(3) == 0) forget_some();
    }
    if (below(2) == 0) restic_.run_ok({"backup", source().string()});
    forget_some();
  }

  SplitMix64 random_;
  int version_ = 2;
};

TEST_P(AnyPruned, HasWhatResticLeavesOfIt) {
  make_repository();
  const TempDir before;
  restore_all(before.path());
  const Restic twin(dir_.path() / "twin");
  fs::create_directories(dir_.path() / "twin");
  run_ok({.argv = {"cp", "-aT", repository().string(), twin.repository().string()}});
  twin.prune();

  static const std::vector<std::string> kLimits = {"0", "5%", "30%", "unlimited"};
  const std::string limit = kLimits[below(kLimits.size())];
  std::vector<std::string> words{"--max-unused", limit};
  if (below(2) == 0) words.push_back("--exclusive");
  if (version_ == 2 && below(3) == 0) words.push_back("--repack-uncompressed");
  prune(words);
  restic_.check();
  expect_restores_as(before.path());
  const std::set<std::string> used = blobs_of(twin);
  const std::set<std::string> left = blobs_of(restic_);
  EXPECT_TRUE(std::ranges::includes(left, used));
  const std::string figures = prune({"--dry-run", "--json", "--max-unused", limit}).out;
  EXPECT_EQ(number_in(figures, "blobs", "used"), used.size());
  const auto unused = static_cast<double>(number_in(figures, "bytes", "unused") +
                                          number_in(figures, "bytes", "duplicate"));
  const auto all_used = static_cast<double>(number_in(figures, "bytes", "used"));
  if (limit == "0") {
    EXPECT_EQ(unused, 0);
  }
  if (limit == "5%") {
    EXPECT_LE(unused, 0.05 / 0.95 * all_used);
  }
  if (limit == "30%") {
    EXPECT_LE(unused, 0.3 / 0.7 * all_used);
  }

  prune({"--max-unused", "0"});
  EXPECT_EQ(blobs_of(restic_), used);
  restic_.check();
  expect_restores_as(before.path());
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyPruned, ::testing::Range<std::uint64_t>(1, scaled(13, 5)));

// --- kills ---------------------------------------------------------------------------------------

enum class Place { kLocal, kSftp };

class PruneKilled : public Pruned, public ::testing::WithParamInterface<Place> {
 protected:
  PruneKilled() {
    restic_.init();
    if (GetParam() == Place::kSftp) {
      sshd_ = std::make_unique<Sshd>();
      restree_ = RestreeProgram(restic_, *sshd_);
    }
  }
  void restore_repository(const fs::path& from) const {
    fs::remove_all(repository());
    run_ok({.argv = {"cp", "-aT", from.string(), repository().string()}});
  }

  std::unique_ptr<Sshd> sshd_;
};

INSTANTIATE_TEST_SUITE_P(Places, PruneKilled, ::testing::Values(Place::kLocal, Place::kSftp),
                         [](const auto& instance) {
                           return instance.param == Place::kLocal ? "Local" : "Sftp";
                         });

TEST_P(PruneKilled, AtAnyMomentLeavesAWholeRepositoryAndTheNextDoesTheRest) {
  fill(4, scaled(3 * kMiB, kMiB));
  forget_old();
  const TempDir restored;
  restore_all(restored.path());
  const fs::path before = dir_.path() / "before";
  run_ok({.argv = {"cp", "-aT", repository().string(), before.string()}});
  const std::vector<std::string> words{"prune", "--max-unused", "0", "--pack-size", "4"};
  const auto begin = steady_clock::now();
  const Finished whole = restree_.run(words);
  const auto time = duration_cast<milliseconds>(steady_clock::now() - begin);
  ASSERT_TRUE(whole.ok()) << whole.report();
  const std::set<std::string> used = blobs_of(restic_);

  const std::uint64_t kills = scaled(30, 6);
  SplitMix64 random(7);
  restore_repository(before);
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    const auto piece = static_cast<std::uint64_t>(time.count()) * 11 / 10;
    const milliseconds moment((piece * kill + random() % (piece + 1)) / kills);
    const Finished killed = restree_.start(words).wait(moment);
    SCOPED_TRACE("kill " + std::to_string(kill) + " after " + std::to_string(moment.count()) +
                 " ms: " + killed.report());
    EXPECT_TRUE(killed.timed_out || killed.ok());
    const Finished check = restic_.run({"check", "--read-data", "--no-lock"});
    EXPECT_TRUE(check.ok()) << check.report();
    if (kill % 3 == 2) {
      prune();
      EXPECT_EQ(blobs_of(restic_), used);
      restic_.check();
      expect_restores_as(restored.path());
      restore_repository(before);
    }
    if (HasFailure()) break;
  }
  prune({"--max-unused", "0", "--exclusive"});
  EXPECT_EQ(blobs_of(restic_), used);
  restic_.check();
  expect_restores_as(restored.path());
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
}

// Over SFTP, where there is a cache.
TEST_P(PruneKilled, GoesOnWithoutWalkingThroughTheSnapshotsAgain) {
  if (GetParam() == Place::kLocal) GTEST_SKIP() << "without a cache nothing is kept";
  fill(3, scaled(6 * kMiB, 3 * kMiB));
  forget_old();
  const std::vector<std::string> words{"prune", "--max-unused", "0", "--pack-size", "4", "-v"};
  const auto packs = stored_in(repository(), "data").size();
  Process killed = restree_.start(words);
  EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
    return stored_in(repository(), "data").size() > packs || !killed.running();
  }));
  killed.signal(SIGKILL);
  const Finished first = killed.wait(seconds(patient(60)));
  EXPECT_THAT(first.out, ::testing::Not(HasSubstr("is known from an earlier run")));
  const Finished done = restree_.run(words);
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, HasSubstr("what 1 of the snapshots use is known from an earlier run"));
  EXPECT_THAT(done.out, HasSubstr(" 0 / 0 trees"));
  restic_.run_ok({"check", "--read-data"});
}

TEST_P(PruneKilled, ByASignalThatAsksItToEndItGivesTheLockBack) {
  fill(3, scaled(6 * kMiB, 3 * kMiB));
  forget_old();
  const auto packs = stored_in(repository(), "data").size();
  Process asked = restree_.start({"prune", "--max-unused", "0", "--pack-size", "4"});
  EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
    return stored_in(repository(), "data").size() > packs || !asked.running();
  }));
  asked.signal(SIGINT);
  const Finished done = asked.wait(seconds(patient(60)));
  EXPECT_THAT(done.exit_code, ::testing::AnyOf(130, 0)) << done.report();
  EXPECT_THAT(stored_in(repository(), "locks"), IsEmpty());
  restic_.check();
}

}  // namespace
}  // namespace restree::testing
