// What all commands share: global options, help, errors and exit codes.
#include "tools/restree/restree.h"

#include <gmock/gmock.h>

#include "repo/storage/memory_storage.h"
#include "tests/support/restree.h"
#include "tools/cli/global_options.h"
#include "tools/commands/commands.h"

namespace restree {
namespace {

using ::testing::ContainsRegex;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
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
      EXPECT_EQ(outcome.err.empty(), command.deprecated.empty() || words.front() == "help") << name;
    }
  }
}

TEST_F(Restree, TakesGlobalOptionsBeforeAndAfterTheCommand) {
  const std::string json = run({"version", "--json"}).out;
  EXPECT_THAT(json, StartsWith(R"({"message_type":"version","version":")"));
  EXPECT_EQ(run({"--json", "version"}).out, json);
}

// Wrappers compare the second word with the version of restic that they need.
TEST_F(Restree, TheSecondWordOfVersionIsTheVersionOfResticThatItIsLike) {
  for (const std::string program : {"restree", "restic"}) {
    EXPECT_THAT(runner_.run_bare({"version"}, program).out,
                MatchesRegex(program + " 0\\.19\\.1 \\(restree " RESTREE_VERSION
                                       "(, commit [0-9a-f]{7,40}(-dirty)?)?\\) compiled with .+ on "
                                       "linux/[0-9a-z]+\n"));
  }
  const std::string json = run({"version", "--json"}).out;
  EXPECT_THAT(json, HasSubstr(R"("version":"0.19.1","go_version":"restree )" RESTREE_VERSION));
  EXPECT_THAT(json, HasSubstr(R"(","go_os":"linux","go_arch":")"));
}

// restic has no such option, and refuses it.
TEST_F(Restree, TheOptionVersionIsRefusedAndTheCommandNamed) {
  for (const auto& words : {std::vector<std::string>{"--version"}, {"snapshots", "--version"}}) {
    const Outcome outcome = runner_.run_bare(words, "restic");
    EXPECT_EQ(outcome.code, ExitCode::kFailure);
    EXPECT_EQ(outcome.err, "Fatal: unknown flag: --version\nrestic version prints the version.\n");
  }
}

TEST_F(Restree, MessagesUseTheNameThatItIsCalledBy) {
  const auto said = [&](const std::vector<std::string>& words) {
    return runner_.run_bare(words, "restic").err;
  };
  EXPECT_THAT(said({"bogus"}), StartsWith("Fatal: unknown command \"bogus\" for \"restic\"\n"));
  EXPECT_EQ(said({"backp"}),
            "Fatal: unknown command \"backp\" for \"restic\"\n\nDid you mean this?\n\tbackup\n");
  EXPECT_THAT(said({"key", "lst"}),
              HasSubstr("for \"restic key\"\n\nDid you mean this?\n\tlist\n"));
  EXPECT_THAT(said({"list", "bogus"}),
              StartsWith("Fatal: invalid argument \"bogus\" for \"restic list\"\n"));
  EXPECT_THAT(said({"init", "x"}), HasSubstr("please see `restic help init` for usage"));
  EXPECT_THAT(runner_.run_bare({"--help"}, "restic").out, HasSubstr("Usage: restic [OPTIONS]"));
  // What restic has and this program lacks is not said of restic.
  EXPECT_THAT(said({"self-update"}), StartsWith("Fatal: restree has no command self-update\n"));
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
  for (const auto& words :
       {std::vector<std::string>{"self-update", "--force"}, {"help", "self-update"}}) {
    EXPECT_THAT(run(words).err, HasSubstr("no command self-update\nThe program does not update"));
  }
  EXPECT_THAT(run({"backup", "--use-fs-snapshot", "f"}).err,
              HasSubstr("--use-fs-snapshot is not supported"));
}

TEST_F(Restree, OptionsOfAnotherStorageChangeNothing) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--cacert", "no such file"},
           {"--tls-client-cert=no such file"},
           {"--http-user-agent", "a"},
           {"--insecure-tls"},
           {"--insecure-tls=false"},
           {"-o", "s3.connections=3"},
       }) {
    auto command = words;
    command.emplace_back("version");
    EXPECT_EQ(run(command).code, ExitCode::kSuccess) << words.front();
  }
  EXPECT_THAT(run({"--insecure-tls=perhaps", "version"}).err,
              HasSubstr("invalid argument \"perhaps\" for \"--insecure-tls\""));
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

// What is expected is what restic 0.19.1 says, behind "Fatal: ".
TEST_F(Restree, CommandLinesThatAreWrongAreRefusedInResticsWords) {
  struct Row {
    std::vector<std::string> words;
    std::string message;
  };
  const std::string number = "strconv.ParseInt: parsing ";
  for (const Row& row : std::vector<Row>{
           {{"version", "-Z"}, "unknown shorthand flag: 'Z' in -Z"},
           {{"version", "-qZ"}, "unknown shorthand flag: 'Z' in -Z"},
           {{"snapshots", "--latest"}, "flag needs an argument: --latest"},
           {{"snapshots", "--latest", ""},
            R"(invalid argument "" for "--latest" flag: )" + number + "\"\": invalid syntax"},
           {{"snapshots", "--latest", "99999999999999999999"},
            R"(invalid argument "99999999999999999999" for "--latest" flag: )" + number +
                "\"99999999999999999999\": value out of range"},
           {{"backup", "--pack-size", "", "a"},
            "invalid argument \"\" for \"--pack-size\" flag: strconv.ParseUint: parsing \"\": "
            "invalid syntax"},
           {{"version", "--retry-lock", "5"},
            "invalid argument \"5\" for \"--retry-lock\" flag: time: missing unit in duration "
            "\"5\""},
           {{"version", "--compression", ""},
            "invalid argument \"\" for \"--compression\" flag: invalid compression mode \"\", must "
            "be one of (auto|off|fastest|better|max)"},
           {{"restore", "--overwrite", "x"},
            "invalid argument \"x\" for \"--overwrite\" flag: invalid overwrite behavior \"x\", "
            "must "
            "be one of (always|if-changed|if-newer|never)"},
           {{"version", "-o", "\"a"},
            "invalid argument \"\\\"a\" for \"-o, --option\" flag: parse error on line 1, column "
            "3: "
            "extraneous or missing \" in quoted-field"},
           {{"key", "list", "x"}, "the key list command expects no arguments, only options"},
           {{"cache", "x"}, "the cache command expects no arguments, only options"},
           {{"init", "x"}, "the init command expects no arguments, only options"},
           {{"list", "keys", "x"}, "accepts 1 arg(s), received 2"},
           {{"diff", "a", "b", "c"}, "specify two snapshot IDs"},
       }) {
    const Outcome outcome = run(row.words);
    EXPECT_EQ(outcome.code, ExitCode::kFailure) << row.message;
    EXPECT_THAT(outcome.err, StartsWith("Fatal: " + row.message));
    EXPECT_THAT(outcome.out, IsEmpty()) << row.message;
  }
}

TEST_F(Restree, AGroupThatThereIsNotIsRefusedByEveryCommand) {
  for (const std::string command : {"backup", "forget", "snapshots"}) {
    EXPECT_THAT(
        run({command, "--group-by", "nonsense", "x"}).err,
        StartsWith("Fatal: invalid argument \"nonsense\" for \"-g, --group-by\" flag: unknown "
                   "grouping option: \"nonsense\""));
  }
}

TEST_F(Restree, ACommandOfCommandsPrintsItsHelp) {
  const Outcome outcome = run({"key"});
  EXPECT_EQ(outcome.code, ExitCode::kSuccess);
  EXPECT_THAT(outcome.out, HasSubstr("restree key [OPTIONS] [COMMAND]"));
  EXPECT_EQ(run({"help", "key", "list"}).out, run({"key", "list", "--help"}).out);
  EXPECT_THAT(run({"key", "nosuch"}).err,
              StartsWith("Fatal: unknown command \"nosuch\" for \"restree key\"\n"));
}

TEST_F(Restree, ADeprecatedOptionSaysWhatToUseInstead) {
  const Outcome outcome = run({"forget", "--hostname", "h", "--hostname=i", "x", "--help"});
  EXPECT_THAT(outcome.err, HasSubstr("Flag --hostname has been deprecated, use --host\n"));
}

TEST_F(Restree, AnOptionThatIsSwitchedOffIsOff) {
  EXPECT_EQ(run({"version", "--json=false"}).out, run({"version"}).out);
  EXPECT_EQ(run({"version", "--quiet", "-q=false", "-vv"}).code, ExitCode::kSuccess);
  EXPECT_EQ(run({"--help=false", "version"}).out, run({"version"}).out);
}

TEST_F(Restree, ExtendedOptionsOfOtherStoragesHaveNoEffect) {
  for (const std::string word : {"s3.connections=5", "rclone.program=rclone", "rest.connections=5",
                                 "B2.Connections=2", "azure.x", " gs.connections = 3 "}) {
    EXPECT_EQ(run({"-o", word, "version"}).code, ExitCode::kSuccess) << word;
  }
  EXPECT_EQ(run({"-o", " SFTP.Connections = 3 ", "version"}).code, ExitCode::kSuccess);
  EXPECT_THAT(run({"-o", "=1", "version"}).err, StartsWith("Fatal: empty key"));
  EXPECT_THAT(run({"-o", "sftp.nothing=1", "version"}).err,
              StartsWith("Fatal: -o sftp.nothing is not known"));
}

TEST_F(Restree, ErrorsAreJsonWhereJsonIsWanted) {
  const Outcome outcome = run({"--json", "-q", "-v", "version"});
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_EQ(outcome.err,
            R"({"message_type":"exit_error","code":1,"message":"Fatal: --quiet and --verbose )"
            "cannot be specified at the same time\"}\n");
}

TEST_F(Restree, AStopMakesItsOwnExitCode) {
  runner_.stop();
  EXPECT_EQ(run({"version"}).code, ExitCode::kCancelled);
}

TEST_F(Restree, ListsEveryExtendedOptionWithWhatItIsFor) {
  const std::string out = run({"options"}).out;
  EXPECT_THAT(out, StartsWith("All Extended Options:\n  cache_min_free          what "));
  for (const std::string& name : extended_option_names()) {
    EXPECT_THAT(out, ContainsRegex("\n  " + name + "  +[^ ]")) << name;
  }
}

TEST_F(Restree, ListsTheFeatureFlagsAsATable) {
  EXPECT_THAT(run({"features"}).out,
              StartsWith("All Feature Flags:\n"
                         "Name                        Type    Default  Description\n---"));
  EXPECT_THAT(run({"features"}).out, HasSubstr("\ns3-restore                  alpha   false    "));
}

TEST_F(Restree, SelfUpdateSaysHowToUpdate) {
  for (const auto& words : {std::vector<std::string>{"self-update"},
                            {"self-update", "--output", "file"},
                            {"help", "self-update"}}) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.code, ExitCode::kFailure);
    EXPECT_THAT(outcome.err, HasSubstr("apt-get install --only-upgrade restree"));
  }
}

}  // namespace
}  // namespace restree
