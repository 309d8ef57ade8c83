// An off-site copy: `restree init --same-key`, and `restree copy` between two repositories with one
// master key, judged by restic.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
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
using Strings = std::vector<std::string>;
using Files = std::map<std::string, std::string>;

// The files below one folder of a repository, with their bytes.
Files files_of(const Restic& restic, const std::string& folder) {
  Files files;
  for (const fs::path& path : stored_in(restic.repository(), folder)) {
    files[path.filename().string()] = read_file(path);
  }
  return files;
}

std::size_t count_shared(const Files& some, const Files& others) {
  return static_cast<std::size_t>(std::ranges::count_if(some, [&](const auto& file) {
    const auto found = others.find(file.first);
    return found != others.end() && found->second == file.second;
  }));
}

class OffSite : public ::testing::TestWithParam<std::string> {
 protected:
  OffSite() {
    fs::create_directories(data());
    source_.init();
    fs::create_directories(there_.repository().parent_path());
  }

  fs::path data() const { return dir_.path() / "data"; }
  void change(unsigned round) const {
    write_random_file(data() / "large", 1, scaled(6 * kMiB, 2 * kMiB));
    write_random_file(data() / ("own" + std::to_string(round)), 100 + round, 900 * kKiB);
    write_file(data() / "changes", "round " + std::to_string(round));
  }
  void backup(unsigned round) {
    change(round);
    ids_.push_back(source_.backup({data().string(), "--tag", "round" + std::to_string(round)}));
  }
  Command with_source(Strings words, const std::string& from) const {
    words.insert(words.end(), {"--from-repo", from});
    Command command = RestreeProgram(there_).command(std::move(words));
    command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
    command.env.emplace_back("RESTIC_PASSWORD", "of the copy");
    return command;
  }
  Finished init(Strings words = {}) const {
    words.insert(words.begin(), {"init", "--same-key"});
    return testing::run(with_source(std::move(words), source_.repository().string()));
  }
  Command copy_command(Strings words = {}) const {
    words.insert(words.begin(), "copy");
    return with_source(std::move(words), source_.repository().string());
  }
  Finished copy() const { return testing::run(copy_command()); }
  Finished restic_there(Strings words) const {
    words.insert(words.begin(), GetParam());
    Command command{.argv = std::move(words), .env = there_.environment()};
    command.env.emplace_back("RESTIC_PASSWORD", "of the copy");
    command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
    return testing::run(command);
  }
  void expect_whole() const {
    const Finished checked = restic_there({"check", "--read-data"});
    EXPECT_TRUE(checked.ok()) << checked.report();
  }
  // Each snapshot restores as from the source, under the same id.
  void expect_same_snapshots() const {
    EXPECT_EQ(files_of(there_, "snapshots"), files_of(source_, "snapshots"));
    for (const std::string& id : ids_) {
      const TempDir expected;
      const TempDir restored;
      source_.restore(id, expected.path());
      const Finished done = restic_there({"restore", id, "--target", restored.path().string()});
      ASSERT_TRUE(done.ok()) << done.report();
      const fs::path folder = data().relative_path();
      EXPECT_EQ(differences(restored.path() / folder, expected.path() / folder), "");
    }
  }

  TempDir dir_;
  Restic source_{dir_.path() / "home", GetParam()};
  Restic there_{dir_.path() / "there", GetParam()};
  std::vector<std::string> ids_;
};

TEST_P(OffSite, TheCopyHasTheSamePacksAndSnapshotsByteForByte) {
  const Finished made = init();
  ASSERT_TRUE(made.ok()) << made.report();
  EXPECT_THAT(made.out, HasSubstr("with its master key"));
  for (unsigned round = 1; round <= 3; ++round) {
    backup(round);
    const Finished copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.report();
    EXPECT_THAT(copied.out, HasSubstr("packs are copied as they are"));
    EXPECT_EQ(files_of(there_, "data"), files_of(source_, "data"));
  }
  expect_whole();
  expect_same_snapshots();
  EXPECT_THAT(stored_in(there_.repository(), "locks"), IsEmpty());
}

TEST_P(OffSite, ASecondRunOfEitherProgramCopiesNothing) {
  ASSERT_TRUE(init().ok());
  backup(1);
  ASSERT_TRUE(copy().ok());
  const auto before = files_of(there_, "index");
  const Finished again = copy();
  EXPECT_TRUE(again.ok()) << again.report();
  EXPECT_EQ(again.out, "");
  const Finished by_restic = restic_there({"copy", "--from-repo", source_.repository().string()});
  EXPECT_TRUE(by_restic.ok()) << by_restic.report();
  EXPECT_EQ(files_of(there_, "index"), before);
  expect_same_snapshots();
}

TEST_P(OffSite, WhatIsOnlyPartlyWantedIsCopiedBlobByBlob) {
  ASSERT_TRUE(init().ok());
  backup(1);
  backup(2);
  // Its packs stay, with blobs that nothing needs any more.
  source_.run_ok({"forget", ids_.front()});
  ids_.erase(ids_.begin());
  ASSERT_TRUE(copy().ok());
  expect_whole();
  expect_same_snapshots();
  const Files here = files_of(source_, "data");
  const Files there = files_of(there_, "data");
  EXPECT_GT(count_shared(there, here), 0U) << "those of the second backup";
  EXPECT_LT(count_shared(there, here), there.size());
  EXPECT_LT(bytes_stored_in(there_.repository(), "data"),
            bytes_stored_in(source_.repository(), "data"));
}

TEST_P(OffSite, ThePasswordsStayApart) {
  ASSERT_TRUE(init().ok());
  Command wrong = RestreeProgram(there_).command({"snapshots"});
  wrong.env.emplace_back("RESTIC_PASSWORD", kPassword);
  EXPECT_EQ(testing::run(wrong).exit_code, 12);
  EXPECT_TRUE(restic_there({"snapshots"}).ok());
}

TEST_P(OffSite, BackupsToTheCopyItselfShareItsData) {
  ASSERT_TRUE(init().ok());
  backup(1);
  ASSERT_TRUE(copy().ok());
  const std::uint64_t before = bytes_stored_in(there_.repository(), "data");
  const Finished backed = restic_there({"backup", data().string(), "--force"});
  ASSERT_TRUE(backed.ok()) << backed.report();
  EXPECT_LT(bytes_stored_in(there_.repository(), "data"), before + 100 * kKiB);
}

TEST_P(OffSite, ADamagedPackOfTheSourceIsNotTakenOver) {
  ASSERT_TRUE(init().ok());
  backup(1);
  const auto first = files_of(source_, "data");
  backup(2);
  for (const fs::path& pack : stored_in(source_.repository(), "data")) {
    if (first.contains(pack.filename().string())) continue;
    // The larger of the two that the second backup has added: that with data.
    if (fs::file_size(pack) < 500 * kKiB) continue;
    flip_byte(pack, fs::file_size(pack) / 2);
  }
  const Finished copied = copy();
  EXPECT_EQ(copied.exit_code, 1) << copied.report();
  EXPECT_THAT(copied.err, HasSubstr("snapshot " + ids_[1] + " is not copied"));
  EXPECT_EQ(stored_in(there_.repository(), "snapshots").size(), 1U);
  expect_whole();
}

TEST_P(OffSite, EitherRepositoryMayBeOnAServer) {
  const Sshd sshd;
  ASSERT_TRUE(init().ok());
  for (unsigned round = 1; round <= 2; ++round) {
    backup(round);
    const bool reads_far = round == 1;
    const std::string source =
        reads_far ? sshd.location(source_.repository()) : source_.repository().string();
    const RestreeProgram restree =
        reads_far ? RestreeProgram(there_) : RestreeProgram(there_, sshd);
    Command command = restree.command({"copy", "--from-repo", source, "-o", sshd.mount_options()});
    command.env.emplace_back("RESTIC_FROM_PASSWORD", kPassword);
    command.env.emplace_back("RESTIC_PASSWORD", "of the copy");
    const Finished copied = testing::run(command);
    EXPECT_TRUE(copied.ok()) << copied.report();
  }
  EXPECT_EQ(files_of(there_, "data"), files_of(source_, "data"));
  expect_whole();
  expect_same_snapshots();
}

TEST_P(OffSite, KilledAtAnyMomentItLeavesAWholeRepositoryAndGoesOnThere) {
  ASSERT_TRUE(init().ok());
  for (unsigned round = 1; round <= 3; ++round) {
    write_random_file(data() / "more", 500 + round, scaled(48 * kMiB, 32 * kMiB));
    backup(round);
  }
  const auto packs = [&] { return stored_in(there_.repository(), "data").size(); };
  for (std::size_t more = 1; more <= 3; ++more) {
    const std::size_t before = packs();
    Process process = Process::start(copy_command({"--limit-upload", "65536"}));
    holds_within(seconds(patient(60)),
                 [&] { return packs() >= before + more || !process.running(); });
    process.signal(SIGKILL);
    process.wait(seconds(60));
    const Finished checked = restic_there({"check", "--read-data", "--no-lock"});
    EXPECT_TRUE(checked.ok()) << checked.report();
  }
  const Finished rest = copy();
  ASSERT_TRUE(rest.ok()) << rest.report();
  ASSERT_TRUE(restic_there({"unlock", "--remove-all"}).ok());
  EXPECT_EQ(files_of(there_, "data"), files_of(source_, "data"));
  expect_whole();
  expect_same_snapshots();
}

TEST_P(OffSite, ARepositoryOfTheOldVersionGetsACopyOfThatVersion) {
  const Restic old(dir_.path() / "old", GetParam());
  old.init(1);
  change(1);
  old.backup({data().string()});
  ASSERT_TRUE(testing::run(with_source({"init", "--same-key"}, old.repository().string())).ok());
  const Finished copied = testing::run(with_source({"copy"}, old.repository().string()));
  ASSERT_TRUE(copied.ok()) << copied.report();
  EXPECT_EQ(files_of(there_, "data"), files_of(old, "data"));
  expect_whole();
}

INSTANTIATE_TEST_SUITE_P(Restic, OffSite, ::testing::ValuesIn(all_restics()), restic_name);

}  // namespace
}  // namespace restree::testing
