// `restree recover` in repositories of restic's whose snapshots were removed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Recovering : public ::testing::TestWithParam<std::string> {
 protected:
  Recovering() {
    restic_.init();
    fs::create_directories(files() / "folder");
    write_file(files() / "folder" / "same", "same");
  }
  fs::path files() const { return dir_.path() / "files"; }
  // The folder of this round, as it is backed up and restored.
  std::string backup(unsigned round) const {
    write_random_file(files() / "folder" / "changes", round, 100 * kKiB);
    return restic_.backup({"."}, files());
  }
  Finished recover(std::vector<std::string> words = {}) const {
    words.insert(words.begin(), "recover");
    return RestreeProgram(restic_).run(words);
  }
  std::vector<std::string> snapshots() const {
    return names_in(restic_.repository() / "snapshots");
  }
  void forget_all() const {
    for (const std::string& id : snapshots()) restic_.forget(id);
  }

  TempDir dir_;
  Restic restic_{dir_.path() / "home", GetParam()};
};

// restic 0.19 fails here, as its roots are in no order.
TEST_P(Recovering, SeveralSnapshotsComeBackAsFoldersOfOne) {
  constexpr unsigned kRounds = 5;
  std::vector<TempDir> expected(kRounds);
  for (unsigned round = 0; round < kRounds; ++round) {
    const std::string id = backup(round);
    restic_.restore(id, expected[round].path());
  }
  forget_all();
  const Finished done = recover();
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, HasSubstr("\nfound 5 unreferenced roots\nsaved new snapshot "));
  restic_.check();
  ASSERT_THAT(snapshots(), SizeIs(1));
  const TempDir restored;
  restic_.restore("latest", restored.path());
  const std::vector<std::string> folders = names_in(restored.path());
  ASSERT_THAT(folders, SizeIs(kRounds));
  for (const TempDir& one : expected) {
    EXPECT_TRUE(std::ranges::any_of(folders, [&](const std::string& folder) {
      return differences(restored.path() / folder / "folder", one.path() / "folder").empty();
    }));
  }
  EXPECT_THAT(recover().out, HasSubstr("\nfound 0 unreferenced roots\nno snapshot to write.\n"));
}

TEST_P(Recovering, SaysWhatResticSays) {
  if (GetParam() == "restic") GTEST_SKIP() << "older restics have other words";
  const std::string first = backup(1);
  backup(2);
  const Restic other(dir_.path() / "other", GetParam());
  fs::create_directories(other.repository().parent_path());
  for (const bool is_lost : {false, true}) {
    if (is_lost) restic_.forget(first);
    for (const std::string word : {"-v", "--json", "-q"}) {
      testing::run_ok({.argv = {"rsync", "-a", "--delete", restic_.repository().string() + "/",
                                other.repository().string()}});
      const auto comparable = [](const std::string& output) {
        // How many index files there are to write anew is up to each program.
        const std::regex index("\\[[^\n]* (indexes processed|old indexes deleted)\n");
        const std::string shorter = std::regex_replace(output, index, "");
        return std::regex_replace(shorter, std::regex("\\b[0-9a-f]{8}\\b"), "ID");
      };
      const Finished done = RestreeProgram(other).run({"recover", word});
      EXPECT_TRUE(done.ok()) << done.report();
      testing::run_ok({.argv = {"rsync", "-a", "--delete", restic_.repository().string() + "/",
                                other.repository().string()}});
      EXPECT_EQ(comparable(done.out), comparable(other.run_ok({"recover", word})));
    }
  }
}

TEST_P(Recovering, WhatTheRepositoryLacksIsNamedAndLeftOutSoThatTheSnapshotIsWhole) {
  backup(1);
  const auto packs = stored_in(restic_.repository(), "data");
  write_random_file(files() / "folder" / "lost", 7, 50 * kKiB);
  restic_.backup({"."}, files());
  forget_all();
  // The pack of the new file's content: the larger one of the new ones.
  fs::path pack;
  for (const fs::path& one : stored_in(restic_.repository(), "data")) {
    const bool is_new = std::ranges::find(packs, one) == packs.end();
    if (is_new && fs::file_size(one) > 50 * kKiB) pack = one;
  }
  ASSERT_FALSE(pack.empty());
  fs::remove(pack);
  const Finished done = recover();
  ASSERT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(done.out, HasSubstr("/folder/lost\": removed missing content\n"));
  EXPECT_THAT(done.err, HasSubstr("removing not found pack file " + pack.filename().string()));
  restic_.check();
}

TEST_P(Recovering, KilledAtAnyMomentItLeavesAWholeRepository) {
  for (unsigned round = 0; round < 3; ++round) backup(round);
  forget_all();
  const fs::path repository = restic_.repository();
  for (const char* folder : {"index", "data", "snapshots"}) {
    const auto before = stored_in(repository, folder);
    // Slow enough for the moment to be met.
    Process process =
        Process::start(RestreeProgram(restic_).command({"recover", "--limit-upload", "1"}));
    holds_within(seconds(patient(60)),
                 [&] { return stored_in(repository, folder) != before || !process.running(); });
    process.signal(SIGKILL);
    process.wait(seconds(60));
    restic_.run_ok({"check", "--read-data", "--no-lock"});
    restic_.run_ok({"unlock", "--remove-all"});
  }
  ASSERT_TRUE(recover().ok());
  restic_.check();
  EXPECT_THAT(stored_in(repository, "locks"), IsEmpty());
  EXPECT_THAT(restic_.run_ok({"ls", "latest"}), HasSubstr("/folder/same"));
}

INSTANTIATE_TEST_SUITE_P(Restic, Recovering, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
