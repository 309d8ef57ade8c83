// `restree copy` between repositories that restic has made, and beside restic's own copy.
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
#include "tests/support/sshd.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Strings = std::vector<std::string>;

class Copying : public ::testing::TestWithParam<std::string> {
 protected:
  Copying() {
    fs::create_directories(files());
    source_.init();
    // Made anew, so that it has a master key of its own.
    fs::create_directories(there_.repository().parent_path());
    run_restic(there_, {"init", "--copy-chunker-params", "--from-repo", from()});
  }

  std::string from() const { return source_.repository().string(); }
  fs::path files() const { return dir_.path() / "files"; }
  // A snapshot of files of which some are those of the snapshot before.
  std::string backup(unsigned round) const {
    fs::create_directories(files() / "folder");
    write_random_file(files() / "large", 1, scaled(6 * kMiB, 2 * kMiB));
    write_random_file(files() / "folder" / std::to_string(round), 100 + round, 300 * kKiB);
    write_file(files() / "changes", "round " + std::to_string(round));
    return source_.backup({files().string(), "--tag", "round" + std::to_string(round)});
  }
  // The password of the source comes from the environment.
  static void know_source(Command& command) {
    command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
  }
  std::string run_restic(const Restic& restic, std::vector<std::string> words) const {
    words.insert(words.begin(), GetParam());
    Command command{.argv = std::move(words), .env = restic.environment()};
    know_source(command);
    return testing::run_ok(command);
  }
  Command copy_command(std::vector<std::string> words = {}) const {
    words.insert(words.begin(), {"copy", "--from-repo", from()});
    Command command = RestreeProgram(there_).command(std::move(words));
    know_source(command);
    return command;
  }
  Finished copy(std::vector<std::string> words = {}) const {
    return testing::run(copy_command(std::move(words)));
  }
  void copy_by_restic() const { run_restic(there_, {"copy", "--from-repo", from()}); }
  std::size_t snapshots() const { return names_in(there_.repository() / "snapshots").size(); }

  // Every snapshot of the source is in the destination, once, and restores as there.
  void expect_same_snapshots() const {
    for (unsigned round = 1; const std::string& id : ids_) {
      const TempDir expected;
      const TempDir restored;
      source_.restore(id, expected.path());
      there_.run_ok({"restore", "latest", "--tag", "round" + std::to_string(round++), "--target",
                     restored.path().string()});
      const fs::path folder = files().relative_path();
      EXPECT_EQ(differences(restored.path() / folder, expected.path() / folder), "");
    }
    EXPECT_EQ(snapshots(), ids_.size());
  }

  TempDir dir_;
  Restic source_{dir_.path() / "home", GetParam()};
  Restic there_{dir_.path() / "there", GetParam()};
  std::vector<std::string> ids_;
};

TEST_P(Copying, BringsEverySnapshotAndResticThenCopiesNothing) {
  for (unsigned round = 1; round <= 3; ++round) ids_.push_back(backup(round));
  const Finished copied = copy();
  ASSERT_TRUE(copied.ok()) << copied.report();
  EXPECT_EQ(copied.err, "") << "both repositories cut files alike";
  there_.check();
  expect_same_snapshots();
  copy_by_restic();
  EXPECT_EQ(snapshots(), 3U);
  const Finished again = copy();
  EXPECT_TRUE(again.ok()) << again.report();
  EXPECT_EQ(again.out, "");
  there_.check();
}

// The output with the same text in place of every id and every time that it took.
std::string without_ids(const std::string& output) {
  const std::string ids = std::regex_replace(output, std::regex("\\b[0-9a-f]{8}\\b"), "ID");
  return std::regex_replace(ids, std::regex("\\[0:[0-9]{2}\\]"), "[TIME]");
}

TEST_P(Copying, SaysWhatResticSays) {
  if (GetParam() == "restic") GTEST_SKIP() << "older restics have other words";
  ids_.push_back(backup(1));
  const Restic other(dir_.path() / "other", GetParam());
  fs::create_directories(other.repository().parent_path());
  run_restic(other, {"init", "--copy-chunker-params", "--from-repo", from()});
  for (const Strings& words : {Strings{"-v"}, {"-v"}, {"--json"}, {"-q"}}) {
    Strings call{"copy", "--from-repo", from()};
    call.insert(call.end(), words.begin(), words.end());
    EXPECT_EQ(without_ids(copy(words).out), without_ids(run_restic(other, call)));
  }
}

TEST_P(Copying, CopiesNothingOfWhatResticHasCopied) {
  for (unsigned round = 1; round <= 2; ++round) ids_.push_back(backup(round));
  copy_by_restic();
  const Finished copied = copy({"-v"});
  ASSERT_TRUE(copied.ok()) << copied.report();
  EXPECT_THAT(copied.out, HasSubstr(", was already copied to snapshot "));
  EXPECT_THAT(copied.out, Not(HasSubstr("saved, copied from")));
  EXPECT_EQ(snapshots(), 2U);
  ids_.push_back(backup(3));
  ASSERT_TRUE(copy().ok());
  there_.check();
  expect_same_snapshots();
}

TEST_P(Copying, ATaggedSnapshotIsCopiedAgainByBoth) {
  ids_.push_back(backup(1));
  ASSERT_TRUE(copy().ok());
  source_.run_ok({"tag", "--add", "new"});
  ASSERT_TRUE(copy().ok());
  EXPECT_EQ(snapshots(), 2U);
  copy_by_restic();
  EXPECT_EQ(snapshots(), 2U);
}

TEST_P(Copying, EitherRepositoryMayBeOnAServer) {
  const Sshd sshd;
  ids_.push_back(backup(1));
  // By names that differ from those of the folders: the source, then the destination.
  for (unsigned round = 1; round <= 2; ++round) {
    const bool reads_far = round == 1;
    if (round == 2) ids_.push_back(backup(2));
    const std::string source = reads_far ? sshd.location(source_.repository()) : from();
    const RestreeProgram restree =
        reads_far ? RestreeProgram(there_) : RestreeProgram(there_, sshd);
    Command command = restree.command({"copy", "--from-repo", source, "-o", sshd.mount_options()});
    know_source(command);
    const Finished copied = testing::run(command);
    EXPECT_TRUE(copied.ok()) << copied.report();
  }
  there_.check();
  expect_same_snapshots();
}

TEST_P(Copying, KilledAtAnyMomentItLeavesAWholeRepositoryAndGoesOnThere) {
  for (unsigned round = 1; round <= 3; ++round) {
    write_random_file(files() / "more", 500 + round, scaled(24 * kMiB, 16 * kMiB));
    ids_.push_back(backup(round));
  }
  const auto packs = [&] { return stored_in(there_.repository(), "data").size(); };
  for (std::size_t more = 1; more <= 4; ++more) {
    const std::size_t before = packs();
    Process process = Process::start(copy_command({"--pack-size", "4"}));
    holds_within(seconds(patient(60)),
                 [&] { return packs() >= before + more || !process.running(); });
    process.signal(SIGKILL);
    process.wait(seconds(60));
    there_.run_ok({"check", "--read-data", "--no-lock"});
  }
  const Finished rest = copy({"--pack-size", "4"});
  ASSERT_TRUE(rest.ok()) << rest.report();
  there_.run_ok({"unlock", "--remove-all"});
  there_.check();
  expect_same_snapshots();
  // What a killed run has stored is not stored again.
  constexpr double kOverhead = 1.01;
  EXPECT_LT(static_cast<double>(bytes_stored_in(there_.repository(), "data")),
            kOverhead * static_cast<double>(bytes_stored_in(source_.repository(), "data")));
}

TEST_P(Copying, StoppedItSaysSoAndLeavesNoLock) {
  write_random_file(files() / "more", 7, scaled(96 * kMiB, 64 * kMiB));
  ids_.push_back(backup(1));
  Process process = Process::start(copy_command({"--pack-size", "4", "--limit-upload", "8192"}));
  ASSERT_TRUE(holds_within(seconds(patient(60)), [&] {
    return !stored_in(there_.repository(), "data").empty() || !process.running();
  }));
  process.signal(SIGINT);
  const Finished stopped = process.wait(seconds(patient(60)));
  EXPECT_EQ(stopped.exit_code, 130) << stopped.report();
  EXPECT_THAT(stopped.err, HasSubstr("is not copied again"));
  for (const Restic* restic : {&source_, &there_}) {
    EXPECT_THAT(stored_in(restic->repository(), "locks"), IsEmpty());
  }
  there_.check();
  ASSERT_TRUE(copy().ok());
  expect_same_snapshots();
}

INSTANTIATE_TEST_SUITE_P(Restic, Copying, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
