// How a command is found among options and arguments. What is expected was seen of restic 0.19.1.
#include "tools/cli/command_syntax.h"

#include <gmock/gmock.h>

#include "tools/cli/option_words.h"

namespace restree {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A program with the option -q and --repo, and with the commands save, saves, show and key list.
class Syntax : public ::testing::Test {
 protected:
  Syntax() {
    program_.add_help();
    add_flag(program_, "-q,--quiet", quiet_, "Say less");
    add_text(program_, "-r,--repo", repo_, "Where");
    CommandSyntax& save = program_.add_command("save", "Save it");
    save.add_help();
    add_text(save, "-t,--tag", tag_, "Which");
    add_flag(save, "-n,--dry-run", dry_run_, "Only say");
    add_arguments(save, "target", targets_, "What");
    program_.add_command("saves", "Show all");
    program_.add_command("show", "Show it");
    program_.add_command("key", "Keys").add_command("list", "List them").add_help();
    program_.refuse_command("prune", "Use another.");
  }

  // The full name of the command, or the message of the error.
  std::string found(const std::vector<std::string>& words) {
    const auto parsed = parse_command(program_, words);
    return parsed ? parsed->command->full_name() : "error: " + parsed.error().message();
  }
  std::string hint(const std::vector<std::string>& words) {
    return parse_command(program_, words).error().hint();
  }

  CommandSyntax program_{"tool", "Do it"};
  bool quiet_ = false;
  bool dry_run_ = false;
  std::string repo_;
  std::string tag_;
  std::vector<std::string> targets_;
};

TEST_F(Syntax, ACommandIsTheFirstWordThatIsNoOption) {
  EXPECT_EQ(found({}), "tool");
  EXPECT_EQ(found({"save"}), "tool save");
  EXPECT_EQ(found({"-q", "save"}), "tool save");
  EXPECT_EQ(found({"-r", "save", "show"}), "tool show") << "that is a location";
  EXPECT_EQ(repo_, "save");
  EXPECT_EQ(found({"--repo=save", "show"}), "tool show");
  EXPECT_EQ(found({"-rsave", "show"}), "tool show");
  EXPECT_EQ(found({"", "show"}),
            "error: the show command expects no arguments, only options - "
            "please see `tool help show` for usage and flags")
      << "the empty word is an argument";
  EXPECT_EQ(found({"key", "-q", "list"}), "tool key list");
  EXPECT_EQ(found({"--", "save"}), "tool");
}

TEST_F(Syntax, ArgumentsMayHaveTheNameOfTheCommand) {
  EXPECT_EQ(found({"save", "save", "show"}), "tool save");
  EXPECT_THAT(targets_, ElementsAre("save", "show"));
}

TEST_F(Syntax, ACommandsOptionsMayStandBeforeIt) {
  EXPECT_EQ(found({"--tag", "daily", "save", "a"}), "tool save");
  EXPECT_EQ(tag_, "daily");
  EXPECT_THAT(targets_, ElementsAre("a"));
  EXPECT_EQ(found({"-t", "weekly", "save"}), "tool save");
  EXPECT_EQ(tag_, "weekly");
  EXPECT_EQ(found({"--dry-run=1", "save"}), "tool save");
  EXPECT_TRUE(dry_run_);
  EXPECT_EQ(found({"--dry-run", "save", "show"}), "error: unknown flag: --dry-run")
      << "save was taken for its value";
}

TEST_F(Syntax, OptionsOfAllCommandsMayStandAnywhere) {
  EXPECT_EQ(found({"save", "a", "-qn", "b", "--repo", "r"}), "tool save");
  EXPECT_TRUE(quiet_ && dry_run_);
  EXPECT_EQ(repo_, "r");
  EXPECT_THAT(targets_, ElementsAre("a", "b"));
}

TEST_F(Syntax, AnUnknownCommandIsNamedWithThoseOfSimilarNames) {
  EXPECT_EQ(found({"bogus"}), "error: unknown command \"bogus\" for \"tool\"");
  EXPECT_EQ(hint({"bogus"}), "tool --help lists the commands.");
  EXPECT_EQ(hint({"sav"}), "\nDid you mean this?\n\tsave\n\tsaves");
  EXPECT_EQ(hint({"SHOW"}), "\nDid you mean this?\n\tshow");
  EXPECT_EQ(hint({"shwo"}), "\nDid you mean this?\n\tshow");
  EXPECT_EQ(hint({"prun"}), "tool --help lists the commands.") << "prune cannot be had";
  EXPECT_EQ(found({"key", "bogus"}), "error: unknown command \"bogus\" for \"tool key\"");
}

TEST_F(Syntax, ArgumentsOfACommandThatTakesNoneAreRefused) {
  EXPECT_EQ(
      found({"key", "list", "x"}),
      "error: the key list command expects no arguments, only options - please see `tool help "
      "key list` for usage and flags");
}

TEST_F(Syntax, ARefusedCommandIsNamedWhateverFollows) {
  EXPECT_EQ(found({"prune", "--max-unused", "0"}), "error: restree has no command prune");
  EXPECT_EQ(hint({"-q", "prune"}), "Use another.");
}

TEST_F(Syntax, HelpIsWantedWhateverTheArgumentsAre) {
  EXPECT_EQ(found({"key", "list", "x", "--help"}), "tool key list");
  EXPECT_TRUE(program_.find_command("key")->find_command("list")->is_help_wanted());
  EXPECT_FALSE(program_.find_command("save")->is_help_wanted());
  EXPECT_EQ(found({"-h", "save"}), "tool save");
  EXPECT_TRUE(program_.find_command("save")->is_help_wanted());
}

TEST_F(Syntax, AnErrorSaysWhereTheOptionsAreListed) {
  EXPECT_EQ(found({"save", "--foo"}), "error: unknown flag: --foo");
  EXPECT_EQ(hint({"save", "--foo"}), "tool save --help lists its options.");
}

TEST_F(Syntax, HelpShowsOptionsAsTheyAreTyped) {
  program_.footer = "The end.";
  EXPECT_EQ(help_text(program_),
            "Do it\n"
            "Usage: tool [OPTIONS] [COMMAND]\n"
            "\n"
            "Options:\n"
            "  -h, --help                      Print this help and exit\n"
            "  -q, --quiet                     Say less\n"
            "  -r, --repo TEXT                 Where\n"
            "\n"
            "Commands:\n"
            "  save                            Save it\n"
            "  saves                           Show all\n"
            "  show                            Show it\n"
            "  key                             Keys\n"
            "\n"
            "The end.\n");
  EXPECT_THAT(help_text(*program_.find_command("save")),
              AllOf(HasSubstr("Usage: tool save [OPTIONS] [target...]\n"),
                    HasSubstr("  target TEXT ...                 What\n"), Not(HasSubstr("{"))));
}

}  // namespace
}  // namespace restree
