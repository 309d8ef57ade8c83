// What restic, a provider and an intruder do to a repository, and what restree audit says of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Strings = std::vector<std::string>;

constexpr int kFound = 3;

class Audit : public ::testing::Test {
 protected:
  Audit() {
    restic_.init();
    fs::create_directory(app());
    for (const char* day : {"01", "02", "03"}) {
      ids_.push_back(back_up({"--time", "2020-01-" + std::string(day) + " 03:00:00"}));
    }
    EXPECT_TRUE(audit().ok());
  }
  fs::path app() const { return dir_.path() / "app"; }
  // By restic, of a file that is new.
  std::string back_up(Strings words = {}) {
    ++count_;
    write_random_file(app() / "file", count_, kMiB / 16);
    words.push_back(app().string());
    return restic_.backup(words);
  }
  Finished restree(Strings words) const { return RestreeProgram(restic_).run(std::move(words)); }
  Finished audit(Strings words = {}) const {
    words.insert(words.begin(), "audit");
    return restree(std::move(words));
  }
  // As a provider's picture of its disk: all of it or nothing.
  void save_as(const std::string& name) const {
    fs::copy(restic_.repository(), dir_.path() / name, fs::copy_options::recursive);
  }
  void bring_back(const std::string& name) const {
    fs::remove_all(restic_.repository());
    fs::rename(dir_.path() / name, restic_.repository());
  }

  TempDir dir_;
  const Restic restic_{dir_.path()};
  std::uint64_t count_ = 0;
  Strings ids_;
};

TEST_F(Audit, WhatResticForgetsIsAWarningUntilThePolicyIsKnown) {
  restic_.forget(ids_[0]);
  restic_.prune();
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out, AllOf(HasSubstr("warning"), HasSubstr(ids_[0]), Not(HasSubstr("alarm"))));
  EXPECT_TRUE(audit({"--keep-last", "2"}).ok());
  EXPECT_EQ(audit({"--keep-last", "3"}).exit_code, kFound);
  EXPECT_TRUE(audit({"--accept"}).ok());
  EXPECT_TRUE(audit().ok());
}

TEST_F(Audit, BackupsAndTagsOfResticAreNoFinding) {
  back_up();
  restic_.run_ok({"tag", "--add", "kept", ids_[1]});
  const Finished quiet = audit({"-v"});
  EXPECT_TRUE(quiet.ok()) << quiet.report();
  EXPECT_THAT(quiet.out, Not(HasSubstr("innocent")));
}

TEST_F(Audit, WhatRestreeRemovesIsNoFinding) {
  EXPECT_TRUE(restree({"forget", "--keep-last", "2", "--prune"}).ok());
  const Finished quiet = audit({"-v"});
  EXPECT_TRUE(quiet.ok()) << quiet.report();
  EXPECT_THAT(quiet.out, Not(HasSubstr("innocent")));
}

// The snapshots that are lost are named, and what the finding advises makes all right again.
TEST_F(Audit, ARollBackIsNamedAndTheNextBackupIsWhole) {
  save_as("picture");
  const std::string lost = back_up();
  EXPECT_TRUE(audit().ok());
  bring_back("picture");
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out, AllOf(HasSubstr("went back to an earlier moment"), HasSubstr(lost),
                               HasSubstr("restree check")));
  EXPECT_TRUE(restree({"check"}).ok());
  const std::string id = RestreeProgram(restic_).backup({app().string()});
  restic_.run_ok({"check", "--read-data"});
  restic_.restore(id, dir_.path() / "restored");
  EXPECT_EQ(read_file(dir_.path() / "restored" / app().relative_path() / "file") ==
                read_file(app() / "file"),
            true);
  EXPECT_TRUE(audit({"--accept"}).ok());
  EXPECT_TRUE(audit().ok());
}

TEST_F(Audit, ABackupThatFindsTheRollBackFirstDoesNotHideIt) {
  save_as("picture");
  const std::string lost = back_up();
  EXPECT_TRUE(audit().ok());
  bring_back("picture");
  RestreeProgram(restic_).backup({app().string()});
  const Finished found = audit();
  EXPECT_EQ(found.exit_code, kFound) << found.report();
  EXPECT_THAT(found.out, AllOf(HasSubstr("went back"), HasSubstr(lost)));
}

TEST_F(Audit, AFileThatAnIntruderRemovesIsNamedByWhatItIs) {
  fs::path newest;
  for (const auto& entry : fs::directory_iterator(restic_.repository() / "snapshots")) {
    if (entry.path().filename().string().starts_with(ids_.back())) newest = entry.path();
  }
  fs::remove(newest);
  EXPECT_THAT(audit().out, AllOf(HasSubstr("alarm"), HasSubstr("with the newest of a host")));
}

TEST_F(Audit, RestoresGoOnWhateverWasFound) {
  for (const auto& entry : fs::directory_iterator(restic_.repository() / "snapshots")) {
    if (!entry.path().filename().string().starts_with(ids_[0])) fs::remove(entry.path());
  }
  EXPECT_EQ(audit().exit_code, kFound);
  EXPECT_TRUE(restree({"restore", ids_[0], "--target", (dir_.path() / "restored").string()}).ok());
}

}  // namespace
}  // namespace restree::testing
