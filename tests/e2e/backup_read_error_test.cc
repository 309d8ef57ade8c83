// `restree backup` of what cannot be read, or does not stay as it was: the rest is saved.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>

#include "tests/support/fidelity.h"
#include "tests/support/files.h"
#include "tests/support/nobody.h"
#include "tests/support/repository_files.h"
#include "tests/support/restic.h"
#include "tests/support/restics.h"
#include "tests/support/restree_program.h"
#include "tests/support/scale.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Of `{"nodes":[]}` and a newline.
constexpr char kEmptyTree[] = "ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8";

class BackupReadError : public ::testing::Test {
 protected:
  BackupReadError() {
    restic_.init();
    fs::create_directories(source());
    write_file(source() / "readable", "a few bytes");
  }
  fs::path source() const { return dir_.path() / "source"; }
  fs::path repository() const { return restic_.repository(); }
  // `"tree":"…"` of the newest snapshot.
  std::string newest_tree() const {
    const std::string json = restic_.run_ok({"snapshots", "--json", "latest"});
    const auto at = json.rfind("\"tree\":");
    return json.substr(at, json.find(',', at) - at);
  }
  std::vector<std::string> saved() const {
    const TempDir restored;
    restic_.restore("latest", restored.path());
    return names_in(restored.path() / source().relative_path());
  }
  // A backup of a large file, stopped (SIGSTOP) while that is being read.
  Process backup_under_way() const {
    write_random_file(source() / "large", 1, kLargeBytes);
    Process backup = restree_.start({"backup", "--pack-size", "4", source().string()});
    EXPECT_TRUE(holds_within(seconds(patient(60)), [&] {
      return !stored_in(repository(), "data").empty() || !backup.running();
    }));
    backup.signal(SIGSTOP);
    EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty()) << "the backup was too quick";
    return backup;
  }
  void expect_success(Process& backup) const {
    backup.signal(SIGCONT);
    const Finished done = backup.wait(seconds(patient(60)));
    EXPECT_TRUE(done.ok()) << done.report();
    restic_.check();
  }

  static constexpr std::uint64_t kLargeBytes = 96 * kMiB;
  TempDir dir_;
  Restic restic_{dir_.path() / "home"};
  RestreeProgram restree_{restic_};
};

// Programs run as a user who owns neither all files nor may read them.
class BackupByAnotherUser : public BackupReadError,
                            public ::testing::WithParamInterface<std::string> {
 protected:
  BackupByAnotherUser() {
    fs::create_directories(source() / "closed");
    write_file(source() / "closed/hidden", "never seen");
    write_file(source() / "unreadable", "never read");
    fs::permissions(source() / "unreadable", fs::perms::owner_all);
    fs::permissions(source() / "closed", fs::perms::owner_all);
    fs::permissions(dir_.path(), fs::perms(0755));
  }
  Finished run_as_nobody(Command command) const {
    command.folder = source();
    run_ok({.argv = {"chown", "-R", "nobody", restic_.repository().parent_path().string()}});
    return run(as_nobody(std::move(command), dir_.path()));
  }
};

INSTANTIATE_TEST_SUITE_P(Restic, BackupByAnotherUser, ::testing::ValuesIn(all_restics()),
                         restic_name);

TEST_P(BackupByAnotherUser, SavesTheRestAndListsTheMissingFiles) {
  // From inside: the folders above change meanwhile.
  const std::vector<std::string> words = {"backup", "--json", "."};
  const Finished ours = run_as_nobody(restree_.command(words));
  EXPECT_EQ(ours.exit_code, 3) << ours.report();
  for (const char* const missing : {"unreadable", "closed"}) {
    EXPECT_THAT(ours.err, HasSubstr("\"during\":\"archival\",\"item\":\"" +
                                    (source() / missing).string() + "\""));
  }
  EXPECT_THAT(ours.err, HasSubstr("\"code\":3"));

  Command theirs{.argv = words, .env = restic_.environment()};
  theirs.argv.insert(theirs.argv.begin(), GetParam());
  const std::string our_tree = newest_tree();
  const Finished restics = run_as_nobody(theirs);
  EXPECT_EQ(restics.exit_code, 3) << restics.report();
  EXPECT_EQ(our_tree, newest_tree());
  restic_.check();
}

TEST_F(BackupReadError, AListThatZeroBytesPartIsRefusedUnlessItIsMeantToBeOne) {
  const fs::path list = dir_.path() / "list";
  write_file(list, (source() / "readable").string() + '\0' + source().string() + '\0');
  for (const char* option : {"--files-from", "--files-from-verbatim"}) {
    const Finished refused = restree_.run({"backup", option, list.string()});
    EXPECT_EQ(refused.exit_code, 1) << refused.report();
    EXPECT_THAT(refused.err, HasSubstr("--files-from-raw"));
  }
  EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty());
  restree_.backup({"--files-from-raw", list.string()});
  EXPECT_THAT(saved(), ElementsAre("readable"));
}

TEST_F(BackupReadError, AFileThatShrinksIsSavedAsFarAsItGoes) {
  Process backup = backup_under_way();
  fs::resize_file(source() / "large", kLargeBytes / 4 * 3);
  expect_success(backup);
  EXPECT_THAT(saved(), ElementsAre("large", "readable"));
}

TEST_F(BackupReadError, AFileThatGrowsIsSavedToAnEnd) {
  Process backup = backup_under_way();
  fs::resize_file(source() / "large", kLargeBytes + 4 * kMiB);
  expect_success(backup);
  EXPECT_THAT(saved(), ElementsAre("large", "readable"));
}

TEST_F(BackupReadError, AFileThatVanishesBeforeItsTurnIsAsIfItHadNeverBeenThere) {
  // Behind the large one in order.
  write_file(source() / "vanishing", "soon gone");
  fs::create_directories(source() / "vanishing folder");
  Process backup = backup_under_way();
  fs::remove(source() / "vanishing");
  fs::remove(source() / "vanishing folder");
  expect_success(backup);
  EXPECT_THAT(saved(), ElementsAre("large", "readable"));
}

TEST_F(BackupReadError, ATargetThatIsMissingIsAnErrorBeforeAnythingIsWritten) {
  const Finished missing = restree_.run({"backup", (source() / "not there").string()});
  EXPECT_EQ(missing.exit_code, 1) << missing.report();
  EXPECT_THAT(missing.err, HasSubstr("Fatal: all source directories/files do not exist"));
  for (const char* const folder : {"data", "index", "snapshots", "locks"}) {
    EXPECT_THAT(stored_in(repository(), folder), IsEmpty()) << folder;
  }
}

TEST_F(BackupReadError, OneMissingTargetOfSeveralIsReportedAndTheOthersAreSaved) {
  const std::string gone = (source() / "not there").string();
  const Finished done = restree_.run({"backup", source().string(), gone});
  EXPECT_EQ(done.exit_code, 3) << done.report();
  EXPECT_THAT(done.err, AllOf(HasSubstr(gone), HasSubstr("could not be read")));
  EXPECT_THAT(saved(), ElementsAre("readable"));
  restic_.check();
}

// As the newer restic does.
TEST_F(BackupReadError, AnEmptyStreamIsReportedAndLeavesASnapshotWithoutTheFile) {
  const std::vector<std::vector<std::string>> calls = {{"backup", "--stdin"},
                                                       {"backup", "--stdin-from-command", "true"}};
  for (const auto& call : calls) {
    const Finished done = restree_.run(call);
    EXPECT_EQ(done.exit_code, 3) << done.report();
    EXPECT_THAT(done.err, AllOf(HasSubstr("nothing came from"), HasSubstr("could not be read")));
    EXPECT_THAT(newest_tree(), HasSubstr(kEmptyTree)) << done.report();
  }
  EXPECT_THAT(stored_in(repository(), "snapshots"), SizeIs(calls.size()));
  const Finished below =
      restree_.run({"backup", "--json", "--stdin", "--stdin-filename", "/dumps/db.sql"});
  EXPECT_EQ(below.exit_code, 3) << below.report();
  EXPECT_THAT(below.err, HasSubstr("\"during\":\"archival\",\"item\":\"/dumps/db.sql\""));
  EXPECT_THAT(below.out, AllOf(HasSubstr("\"files_new\":0"), HasSubstr("\"dirs_new\":1")));
  const TempDir restored;
  restic_.restore("latest", restored.path());
  EXPECT_THAT(names_in(restored.path()), ElementsAre("dumps"));
  EXPECT_THAT(names_in(restored.path() / "dumps"), IsEmpty());
  restic_.check();
}

TEST_F(BackupReadError, ACommandThatFailsLeavesNoSnapshotWhateverItHasPrinted) {
  for (const char* const script : {"exit 1", "echo half of it; exit 1"}) {
    const Finished done =
        restree_.run({"backup", "--stdin-from-command", "--", "sh", "-c", script});
    EXPECT_EQ(done.exit_code, 1) << done.report();
    EXPECT_THAT(done.err, HasSubstr("ended with exit status 1"));
    EXPECT_THAT(done.err, Not(HasSubstr("nothing came"))) << script;
  }
  EXPECT_THAT(stored_in(repository(), "snapshots"), IsEmpty());
}

}  // namespace
}  // namespace restree::testing
