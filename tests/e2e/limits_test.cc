// What restree does where the system sets limits: signals, files and outputs that are full, closed or
// too few.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include "tests/support/files.h"
#include "tests/support/process.h"
#include "tests/support/programs.h"
#include "tests/support/restic.h"
#include "tests/support/restree_program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal.h"

namespace restree::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::minutes kLong{2};

class Limits : public ::testing::Test {
 protected:
  Limits() { restic_.init(); }

  std::string path(const std::string& name) const { return (dir_.path() / name).string(); }
  // A script in which $restree is the program.
  Finished bash(const std::string& script) const {
    Command command = restree_.command({});
    command.argv = {"bash", "-c", script};
    command.env.emplace_back("restree", restree_path());
    command.env.emplace_back("RESTIC_REPOSITORY", restic_.repository().string());
    command.env.emplace_back("RESTIC_PASSWORD", kPassword);
    command.folder = dir_.path();
    return run(command);
  }
  std::size_t count_of(const std::string& folder) const {
    const fs::directory_iterator files(restic_.repository() / folder);
    return static_cast<std::size_t>(std::distance(fs::begin(files), fs::end(files)));
  }

  TempDir dir_;
  const Restic restic_{dir_.path()};
  const RestreeProgram restree_{restic_};
};

// A backup of what the test writes into a pipe, and what it has said so far.
class BackupOfAPipe {
 public:
  BackupOfAPipe(Command command, const std::string& folder, const std::string& options)
      : said_(folder + "/said") {
    const std::string pipe = folder + "/pipe";
    if (::mkfifo(pipe.c_str(), 0600) != 0) throw std::runtime_error("cannot make a pipe");
    write_file(said_, "");
    command.argv = {
        "bash", "-c",
        options + " exec " + restree_path() + " backup --stdin <" + pipe + " >" + said_ + " 2>&1"};
    process_.emplace(Process::start(command));
    pipe_.open(pipe);
    pipe_ << "text" << std::flush;
  }

  std::string said() const { return read_file(said_); }
  Process& process() { return *process_; }
  Finished end() {
    pipe_.close();
    return process_->wait(kLong);
  }

 private:
  const std::string said_;
  std::optional<Process> process_;
  std::ofstream pipe_;
};

TEST_F(Limits, Sigusr1PrintsTheProgressAndTheBackupGoesOn) {
  BackupOfAPipe backup(restree_.command({}), dir_.path().string(), "");
  ASSERT_TRUE(holds_within(kLong, [&] { return count_of("locks") == 1; })) << backup.said();
  // It is asked until it answers: the first time may come before there is anything to show.
  ASSERT_TRUE(holds_within(kLong, [&] {
    backup.process().signal(SIGUSR1);
    return ::testing::Value(backup.said(), ContainsRegex("\\[[0-9]+:[0-9][0-9]\\]"));
  })) << backup.said();
  EXPECT_EQ(backup.end().exit_code, 0) << backup.said();
  EXPECT_EQ(count_of("snapshots"), 1U);
  EXPECT_EQ(count_of("locks"), 0U);
}

TEST_F(Limits, ProgressIsPrintedWithoutATerminalIfItIsAskedFor) {
  BackupOfAPipe backup(restree_.command({}), dir_.path().string(),
                       "export RESTIC_PROGRESS_FPS=20;");
  EXPECT_TRUE(holds_within(kLong, [&] {
    return ::testing::Value(backup.said(),
                            ContainsRegex("\n\\[[0-9]+:[0-9][0-9]\\].*\n\\[[0-9]+:[0-9][0-9]\\]"));
  })) << backup.said();
  EXPECT_EQ(backup.end().exit_code, 0) << backup.said();
}

TEST_F(Limits, ProgramsThatItStartsGetNoneOfItsDescriptors) {
  write_file(path("list"), "#!/bin/sh\nreadlink /proc/self/fd/* >>" + path("seen") + "\necho " +
                               kPassword + "\n");
  fs::permissions(path("list"), fs::perms(0755));
  const Finished done = bash("unset RESTIC_PASSWORD; $restree --password-command " + path("list") +
                             " backup --stdin-from-command -- " + path("list"));
  EXPECT_EQ(done.exit_code, 0) << done.report();
  const std::string seen = read_file(path("seen"));
  // Input, output (which goes there) and error output of the two, and what this process was given.
  const std::string given = bash("readlink /proc/self/fd/* | cat").out;
  EXPECT_EQ(std::count(seen.begin(), seen.end(), '\n'),
            2 * std::count(given.begin(), given.end(), '\n'))
      << seen << given;
}

TEST_F(Limits, ALimitOfTheFileSizeIsAnErrorAndLeavesNoLock) {
  write_file(path("a"), random_bytes(1, 300'000));
  const Finished done = bash("ulimit -f 100; exec $restree --no-cache backup -q a");
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_THAT(done.err, HasSubstr("File too large"));
  EXPECT_EQ(count_of("locks"), 0U);
}

TEST_F(Limits, AFolderDeeperThanTheSoftLimitOfOpenFilesIsSaved) {
  const Finished made =
      bash("mkdir deep; cd deep; for i in {1..300}; do mkdir d; cd d; done; : >leaf");
  ASSERT_TRUE(made.ok()) << made.report();
  const Finished done = bash("ulimit -S -n 128; exec $restree backup -q deep");
  EXPECT_TRUE(done.ok()) << done.report();
  EXPECT_THAT(restic_.run_ok({"ls", "latest"}), HasSubstr("/leaf\n"));
}

// Enough that no pipe takes it all.
constexpr const char* kManyNames =
    "mkdir many; cd many; seq -f 'a-long-name-that-soon-fills-a-pipe-%06g' 4000 | xargs touch; cd "
    "..;"
    "$restree backup -q many;";

TEST_F(Limits, AReaderThatHasGoneEndsItInSilence) {
  const Finished done = bash(std::string(kManyNames) +
                             "$restree ls latest | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(done.out, "141\n");
  EXPECT_EQ(done.err, "");
  EXPECT_EQ(count_of("locks"), 0U);
  const Finished dump = bash(
      "head -c 3000000 /dev/urandom >big; $restree backup -q big;"
      "$restree dump latest big | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(dump.out, "141\n");
  EXPECT_EQ(dump.err, "");
}

TEST_F(Limits, ABackupIsASuccessThoughItsWordsFindNoRoom) {
  write_file(path("a"), "text");
  const Finished done = bash("$restree backup a >/dev/full");
  EXPECT_EQ(done.exit_code, 0) << done.report();
  EXPECT_THAT(done.err, HasSubstr("No space left on device"));
  EXPECT_EQ(count_of("snapshots"), 1U);
}

TEST_F(Limits, AListingThatFindsNoRoomIsAFailure) {
  write_file(path("a"), "text");
  const Finished done = bash("$restree backup -q a; $restree ls latest >/dev/full");
  EXPECT_EQ(done.exit_code, 1) << done.report();
  EXPECT_THAT(done.err, HasSubstr("No space left on device"));
}

TEST_F(Limits, NamesDoNotDriveATerminal) {
  fs::create_directory(path("src"));
  write_file(path("src/esc\x1b[31mred"), "a");
  write_file(path("src/line\nbreak"), "b");
  write_file(path("src/plain name"), "c");
  const std::string commands[] = {"ls latest", "ls -l latest", "find line* esc* plain*",
                                  "restore -vv latest --target " + path("restored"), "snapshots"};
  ASSERT_TRUE(bash("$restree backup -q --tag $'t\\e[1mag' src").ok());
  for (const std::string& command : commands) {
    Terminal terminal({"bash", "-c", "$restree " + command + "; echo the end"},
                      {{"restree", restree_path()},
                       {"RESTIC_PASSWORD", kPassword},
                       {"RESTIC_REPOSITORY", restic_.repository().string()},
                       {"RESTIC_CACHE_DIR", path("cache")}});
    const std::string shown = terminal.shown_until("the end");
    EXPECT_THAT(shown, AllOf(Not(HasSubstr("\x1b[31m")), Not(HasSubstr("\x1b[1m")),
                             Not(HasSubstr("line\r\nbreak"))))
        << command;
    if (command != "snapshots") {
      EXPECT_THAT(shown, AllOf(HasSubstr("esc\\x1b[31mred"), HasSubstr("line\\x0abreak"),
                               HasSubstr("/src/plain name")))
          << command;
    }
  }
  // Programs get the names as they are.
  EXPECT_THAT(bash("$restree ls latest").out,
              AllOf(HasSubstr("/src/esc\x1b[31mred\n"), HasSubstr("/src/line\nbreak\n")));
}

}  // namespace
}  // namespace restree::testing
