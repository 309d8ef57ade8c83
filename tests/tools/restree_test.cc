// What all commands share: global options, help, errors and exit codes.
#include "tools/restree/restree.h"

#include <gmock/gmock.h>

#include "repo/storage/memory_storage.h"
#include "tests/support/restree.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Outcome;
using testing::RestreeRunner;
using ::testing::StartsWith;

class Restree : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& words) const { return runner_.run_bare(words); }
  RestreeRunner runner_{std::make_shared<MemoryStorage>()};
};

TEST_F(Restree, WithoutACommandPrintsItsHelp) {
  const Outcome outcome = run({});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_THAT(outcome.out, HasSubstr("--repository-file"));
  EXPECT_THAT(outcome.out, HasSubstr("Print the program's version"));
}

TEST_F(Restree, EveryCommandHasHelp) {
  for (const Command& command : all_commands()) {
    const std::string name(command.name);
    for (const auto& words : {std::vector<std::string>{name, "--help"}, {"help", name}}) {
      const Outcome outcome = run(words);
      EXPECT_EQ(outcome.code, ExitCode::kSuccess) << name;
      EXPECT_THAT(outcome.out, HasSubstr("restree " + name)) << name;
      EXPECT_THAT(outcome.err, IsEmpty()) << name;
    }
  }
}

TEST_F(Restree, TakesGlobalOptionsBeforeAndAfterTheCommand) {
  const std::string json = run({"version", "--json"}).out;
  EXPECT_THAT(json, StartsWith(R"({"message_type":"version","version":")"));
  EXPECT_EQ(run({"--json", "version"}).out, json);
}

TEST_F(Restree, AnUnknownOptionIsNamed) {
  const Outcome outcome = run({"version", "--bogus=1"});
  EXPECT_EQ(outcome.code, ExitCode::kFailure);
  EXPECT_THAT(outcome.err, StartsWith("Fatal: unknown flag: --bogus\n"));
}

TEST_F(Restree, AnUnknownCommandIsNamed) {
  EXPECT_THAT(run({"bogus"}).err, StartsWith("Fatal: unknown command \"bogus\""));
  EXPECT_THAT(run({"help", "bogus"}).err, StartsWith("Fatal: unknown command \"bogus\""));
}

TEST_F(Restree, OptionsAndCommandsOfResticAloneAreRefusedByName) {
  EXPECT_THAT(run({"prune", "--max-unused", "0"}).err, HasSubstr("no command prune\nUse restic"));
  EXPECT_THAT(run({"help", "prune"}).err, HasSubstr("no command prune\nUse restic"));
  EXPECT_THAT(run({"version", "--cacert", "f"}).err, HasSubstr("--cacert is not supported"));
}

TEST_F(Restree, InvalidValuesAreRefused) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--retry-lock", "soon"},
           {"--compression", "most"},
           {"--pack-size", "129"},
           {"--pack-size", "3"},
           {"-o", "sftp.connections=none"},
           {"-o", "no.such.option=1"},
           {"-o", "sftp.command=a", "-o", "sftp.args=b"},
           {"-q", "-v"},
           {"-r", "a", "--repository-file", "b"},
       }) {
    auto command = words;
    command.emplace_back("version");
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, ExitCode::kFailure) << words.front();
    EXPECT_THAT(outcome.err, StartsWith("Fatal: ")) << words.front();
  }
}

TEST_F(Restree, ErrorsAreJsonWhereJsonIsWanted) {
  const Outcome outcome = run({"--json", "-q", "-v", "version"});
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(outcome.err,
            R"({"message_type":"exit_error","code":1,"message":"Fatal: --quiet and --verbose )"
            "cannot be given at the same time\"}\n");
}

TEST_F(Restree, AStopMakesItsOwnExitCode) {
  runner_.stop();
  EXPECT_EQ(run({"version"}).code, ExitCode::kCancelled);
}

}  // namespace
}  // namespace restree
