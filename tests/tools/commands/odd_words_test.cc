// Options and arguments that are empty, superfluous or unusual, and what commands make of them.
// What is expected is what restic 0.19.1 does.
#include <gmock/gmock.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/memory_repository.h"
#include "tests/support/restree.h"

namespace restree {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;

// A repository, and the folder "src" with a file to back up.
class OddWords : public ::testing::Test {
 protected:
  OddWords() {
    fs::create_directory(source_);
    testing::write_file(source_ / "a", "one");
    testing::write_file(runner_.folder() / "empty", "# nothing yet\n\n");
  }

  Outcome run(const std::vector<std::string>& words) const { return runner_.run(words); }
  void back_up(std::vector<std::string> words) const {
    words.insert(words.begin(), "backup");
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, ExitCode::kSuccess) << outcome.err;
  }
  std::string snapshots() const { return run({"snapshots", "--json"}).out; }
  std::string path(const std::string& name) const { return (runner_.folder() / name).string(); }

  std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
  testing::RepositoryBuilder builder_{storage_};
  testing::RestreeRunner runner_{storage_};
  const fs::path source_ = runner_.folder() / "src";
};

TEST_F(OddWords, AFileWithoutPatternsChoosesNothingSoThatAllIsRestored) {
  back_up({source_.string()});
  for (const std::string option : {"--include-file", "--iinclude-file", "--exclude-file"}) {
    const std::string target = path("out" + option);
    EXPECT_EQ(run({"restore", "latest", "-t", target, option, path("empty")}).code,
              ExitCode::kSuccess);
    EXPECT_TRUE(fs::exists(target + source_.string() + "/a")) << option;
  }
  EXPECT_EQ(run({"restore", "latest", "-t", path("both"), "--exclude-file", path("empty"),
                 "--include", "a"})
                .code,
            ExitCode::kSuccess);
  EXPECT_TRUE(fs::exists(path("both") + source_.string() + "/a"));
}

TEST_F(OddWords, AnEmptyPatternMatchesNothing) {
  back_up({source_.string()});
  EXPECT_EQ(run({"restore", "latest", "-t", path("out"), "--include", ""}).code,
            ExitCode::kSuccess);
  EXPECT_FALSE(fs::exists(path("out") + source_.string() + "/a"));
}

TEST_F(OddWords, AFileWithoutPatternsDoesNotLetTheWholeSystemBeDeleted) {
  back_up({source_.string()});
  const Outcome outcome = run({"restore", "latest", "--dry-run", "--target", "/", "--delete",
                               "--include-file", path("empty")});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("must be combined with an include or exclude filter"));
}

TEST_F(OddWords, DumpOfAnEmptyPathWritesNothing) {
  back_up({source_.string()});
  for (const std::string path : {"", ".", "x/.."}) {
    const Outcome outcome = run({"dump", "latest", path});
    EXPECT_EQ(outcome.code, ExitCode::kFailure) << path;
    EXPECT_THAT(outcome.err, HasSubstr("not found in snapshot")) << path;
    EXPECT_THAT(outcome.out, IsEmpty()) << path;
  }
  EXPECT_EQ(run({"dump", "latest", "/"}).code, ExitCode::kSuccess);
}

TEST_F(OddWords, ParentLatestIsTheLatestOfTheGroup) {
  back_up({"--host", "other", source_.string()});
  const Outcome other_host = run({"backup", "--host", "h", "--parent", "latest", source_.string()});
  EXPECT_EQ(other_host.code, ExitCode::kFailure);
  EXPECT_THAT(other_host.err, HasSubstr("no snapshot found"));
  EXPECT_THAT(snapshots(), Not(HasSubstr("\"parent\"")));
  back_up({"--host", "h", "--parent", "latest", "--group-by", "", source_.string()});
  EXPECT_THAT(snapshots(), HasSubstr("\"parent\""));
}

TEST_F(OddWords, ParentLatestIsNoNewerThanTheSnapshot) {
  back_up({"--time", "2026-09-02 00:00:00", source_.string()});
  const Outcome outcome =
      run({"backup", "--time", "2026-09-01 00:00:00", "--parent", "latest", source_.string()});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, HasSubstr("no snapshot found"));
}

TEST_F(OddWords, StdinBesideStdinFromCommandIsSuperfluous) {
  back_up({"--stdin", "--stdin-from-command", "--", "echo", "text"});
  EXPECT_EQ(run({"dump", "latest", "stdin"}).out, "text\n");
}

TEST_F(OddWords, TimeTakesAFractionOfASecond) {
  back_up({"--time", "2026-09-01 03:04:05.5", source_.string()});
  EXPECT_THAT(snapshots(), HasSubstr(":05.5"));
  EXPECT_EQ(run({"backup", "--time", "2026-09-01 03:04:05.", source_.string()}).code,
            ExitCode::kFailure);
}

TEST_F(OddWords, AllPatternsThatAreNotPatternsAreNamedWithTheirOption) {
  testing::write_file(runner_.folder() / "list", "fine\n[one\n[two\n");
  for (const std::string option : {"--exclude-file", "--iexclude-file"}) {
    for (const Outcome& outcome :
         {run({"backup", option, path("list"), source_.string()}),
          run({"restore", option, path("list"), "-t", path("out"), "latest"})}) {
      EXPECT_EQ(outcome.code, ExitCode::kFailure);
      EXPECT_THAT(outcome.err, AllOf(HasSubstr(option + " " + path("list")), HasSubstr("[one"),
                                     HasSubstr("[two"), Not(HasSubstr("fine"))));
    }
  }
}

TEST_F(OddWords, BackupQuotesAPathOnlyIfItHasOddCharacters) {
  testing::write_file(source_ / "odd\nname", "two");
  const std::string folder = source_.string();
  const std::string said = run({"backup", "-vv", folder}).out;
  EXPECT_THAT(said, HasSubstr("\nnew       " + folder + "/a, saved in "));
  EXPECT_THAT(said, HasSubstr("\nnew       \"" + folder + "/odd\\nname\", saved in "));
  EXPECT_THAT(run({"backup", "-vv", folder}).out,
              AllOf(HasSubstr("\nunchanged " + folder + "/a\n"),
                    HasSubstr("\nunchanged \"" + folder + "/odd\\nname\"\n")));
}

}  // namespace
}  // namespace restree
