// check and stats: what is asked for and cannot be found or read is no success.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/support/environment.h"
#include "tests/support/two_snapshots.h"

namespace restree {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;

class Verdicts : public ::testing::Test {
 protected:
  Outcome check(std::vector<std::string> words) { return run("check", std::move(words)); }
  Outcome stats(std::vector<std::string> words) { return run("stats", std::move(words)); }
  Outcome run(const std::string& command, std::vector<std::string> words) {
    words.insert(words.begin(), command);
    return repository_.run(words);
  }
  // Makes the older snapshot's file unreadable; returns its id.
  std::string damage_older() {
    auto& storage = repository_.memory.storage();
    for (const auto& file : testing::value_of(storage.list(FileType::kSnapshot, testing::soon()))) {
      if (!file.name.starts_with(old_)) continue;
      repository_.memory.damage({FileType::kSnapshot, file.name});
      return file.name;
    }
    return {};
  }

  testing::TwoSnapshots repository_;
  const std::string& old_ = repository_.older;
  const std::string& new_ = repository_.newer;
};

TEST_F(Verdicts, CheckOfSnapshotsThatAreThereSucceeds) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {"latest"}, {old_, new_}, {"--host", "one"}, {"latest", "--tag", "b"}}) {
    const Outcome outcome = check(words);
    EXPECT_EQ(outcome.code, ExitCode::kSuccess) << ::testing::PrintToString(words) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("no errors were found"));
  }
}

TEST_F(Verdicts, CheckOfWhatIsNotThereFailsAndNamesIt) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"zzzz"},
                                                                 {""},
                                                                 {"latest:x"},
                                                                 {"latest", "--tag", "nosuch"},
                                                                 {"latest", "--host", "nosuch"},
                                                                 {old_, "zzzz"},
                                                                 {old_, "--tag", "b"},
                                                                 {"--tag", "nosuch"}}) {
    const Outcome outcome = check(words);
    EXPECT_EQ(outcome.code, ExitCode::kFailure) << ::testing::PrintToString(words);
    EXPECT_THAT(outcome.out, Not(HasSubstr("no errors were found")));
    EXPECT_THAT(outcome.err, HasSubstr("error: cannot check \""));
  }
  EXPECT_THAT(check({"zzzz"}).err, HasSubstr("cannot check \"zzzz\": no matching ID found"));
  EXPECT_THAT(check({"--json", "zzzz"}).out, HasSubstr("\"num_errors\":1"));
}

TEST_F(Verdicts, CheckNamesADamagedSnapshotFileHoweverItWasChosen) {
  const std::string damaged = damage_older();
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {old_}, {damaged}, {"latest"}, {"--host", "two"}, {"--tag", "b"}}) {
    const Outcome outcome = check(words);
    EXPECT_EQ(outcome.code, ExitCode::kFailure) << ::testing::PrintToString(words);
    EXPECT_THAT(outcome.err, HasSubstr("restree repair snapshots --forget " + damaged));
    EXPECT_THAT(outcome.err, HasSubstr("repository contains errors"));
  }
  EXPECT_EQ(check({new_}).code, ExitCode::kSuccess);
}

TEST_F(Verdicts, AHostOfTheEnvironmentChoosesButDemandsNothing) {
  testing::Environment environment;
  environment.set("RESTIC_HOST", "nosuch");
  EXPECT_EQ(check({}).code, ExitCode::kSuccess);
  EXPECT_EQ(check({old_}).code, ExitCode::kSuccess);
}

TEST_F(Verdicts, StatsPrintTheirFiguresAndFailIfASnapshotIsMissing) {
  const Outcome outcome = stats({new_, "zzzz"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.out, HasSubstr("Snapshots processed:  1\n"));
  EXPECT_THAT(outcome.err, HasSubstr("Ignoring \"zzzz\""));
  for (const auto& words :
       std::vector<std::vector<std::string>>{{""}, {"latest:x"}, {"latest", "--tag", "nosuch"}}) {
    EXPECT_EQ(stats(words).code, ExitCode::kFailure) << ::testing::PrintToString(words);
  }
  EXPECT_EQ(stats({"--tag", "nosuch"}).code, ExitCode::kSuccess);
  EXPECT_EQ(stats({old_, "--tag", "b"}).code, ExitCode::kSuccess);
}

TEST_F(Verdicts, StatsBesideADamagedSnapshotFileFail) {
  const std::string damaged = damage_older();
  const Outcome outcome = stats({});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("Ignoring \"" + damaged + "\""));
  EXPECT_EQ(stats({new_}).code, ExitCode::kSuccess);
}

}  // namespace
}  // namespace restree
